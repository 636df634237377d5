"""boto3 clients, made when S3 is first used."""

from __future__ import annotations

import os
import threading
from enum import Enum
from typing import TYPE_CHECKING

from pgconsole.settings import Settings
from pgconsole.storage.s3_answers import look_at_answers
from pgconsole.storage.s3_bodies import bound_answers

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client


class Patience(Enum):
    """How long to wait: seconds to connect, share of the read timeout, and attempts."""

    ASKING = (3.0, 0.5, 2)  # somebody looks at a screen
    MOVING = (5.0, 1.0, 4)  # parts and ranges
    FINISHING = (5.0, 6.0, 2)  # a store may copy or assemble for minutes before it answers


class Clients:
    """One client for each kind of patience, shared by all threads.

    Args:
        settings: Bucket, endpoint, region and credentials.
        timeout: Seconds without a byte from the store.
    """

    def __init__(self, settings: Settings, timeout: float) -> None:
        self._settings = settings
        self._timeout = timeout
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._clients: dict[Patience, S3Client] = {}

    def get(self, patience: Patience) -> S3Client:
        """The client; made at the first call.

        Raises:
            ValueError: The endpoint is no URL.
            BotoCoreError: The credentials can't be used.
        """
        with self._lock:  # making clients is not thread-safe, using them is
            if patience not in self._clients:
                self._clients[patience] = self._make(patience)
            return self._clients[patience]

    def _make(self, patience: Patience) -> S3Client:
        import boto3  # noqa: PLC0415 - 0.5 s, so only where S3 is used
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import PartialCredentialsError  # noqa: PLC0415

        settings = self._settings
        secret = settings.aws_secret_access_key.get_secret_value()
        if bool(settings.aws_access_key_id) != bool(secret):
            missing = "AWS_ACCESS_KEY_ID" if secret else "AWS_SECRET_ACCESS_KEY"
            raise PartialCredentialsError(provider="settings", cred_var=missing)
        if self._session is None:
            self._session = boto3.Session(
                aws_access_key_id=settings.aws_access_key_id or None,
                aws_secret_access_key=secret or None,
                aws_session_token=settings.aws_session_token.get_secret_value() or None,
                region_name=settings.aws_default_region,
            )
        connect, share, attempts = patience.value
        client = self._session.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url or None,
            verify=_authorities(settings),
            config=Config(
                signature_version="s3v4",
                connect_timeout=min(connect, self._timeout),  # also between two bytes sent
                read_timeout=self._timeout * share,
                retries={"mode": "standard", "total_max_attempts": attempts},
                # The SDK's own trailing checksums break S3-compatible stores (boto/s3transfer
                # 327). Content-MD5 does the same for all, and so do signed payloads for most: a
                # store refuses a damaged body.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={
                    "payload_signing_enabled": True,
                    "addressing_style": "path" if settings.s3_endpoint_url else "auto",
                },
                max_pool_connections=4,
                tcp_keepalive=True,
            ),
        )
        bound_answers(client)
        look_at_answers(client)
        return client


def _authorities(settings: Settings) -> str | bool | None:
    """Whose word counts for the store's certificate; None leaves it to boto3's own configuration.

    Never False: that would be nobody's.
    """
    if settings.aws_ca_bundle:
        return settings.aws_ca_bundle
    # Set and empty counts as not set, as compose files pass variables on; boto3 would refuse it.
    return True if os.environ.get("AWS_CA_BUNDLE") == "" else None
