"""What a bucket does beyond keeping objects: whether it keeps versions, and can lock them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pgconsole.storage.s3_client import Clients, Patience
from pgconsole.storage.s3_errors import Address, code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What a store answers that has no such thing: S3 itself for a bucket without, others at all.
_HAS_NONE = {"ObjectLockConfigurationNotFoundError", "NotImplemented", "501", "MethodNotAllowed"}


class Features:
    """Asked once, when first needed: they hardly ever change.

    Args:
        clients: How to reach the store.
        address: Which bucket.
    """

    def __init__(self, clients: Clients, address: Address) -> None:
        self._clients = clients
        self._address = address
        self._known: dict[str, bool | None] = {}

    def can_lock(self) -> bool | None:
        """Whether objects can be locked (S3 Object Lock); None if the store does not tell.

        Raises:
            StorageError: The store does not answer.
        """
        return self._ask(
            "can be locked",
            lambda client: (
                client.get_object_lock_configuration(Bucket=self._address.bucket)
                .get("ObjectLockConfiguration", {})
                .get("ObjectLockEnabled")
                == "Enabled"
            ),
        )

    def keeps_versions(self) -> bool | None:
        """Whether what is deleted is only hidden; None if the store does not tell.

        Raises:
            StorageError: The store does not answer.
        """
        return self._ask(
            "keeps versions",
            lambda client: (
                client.get_bucket_versioning(Bucket=self._address.bucket).get("Status")
                in {"Enabled", "Suspended"}
            ),
        )

    def _ask(self, what: str, question: Callable[[S3Client], bool]) -> bool | None:
        if what not in self._known:
            with self._address.translated(f"Whether {self._address.bucket!r} {what} is unknown"):
                try:
                    self._known[what] = question(self._clients.get(Patience.ASKING))
                except Exception as error:
                    code = code_of(error)
                    if code in {"", "NoSuchBucket"}:
                        raise
                    self._known[what] = False if code in _HAS_NONE else None
        return self._known[what]
