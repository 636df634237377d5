"""What botocore and urllib3 raise, in words for an operator."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pgconsole.errors import StorageError
from pgconsole.storage.s3_tls import explain_tls

_SHOWN = 300  # characters of what a store or botocore says
_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_LATER = "try again later; if it stays so, ask whoever runs the store"
_CLOCK = "set this host's clock (NTP)"
_MOST_SKEW = timedelta(minutes=15)  # S3 refuses requests that are dated further away
_REFUSALS = {400, 401, 403}

# S3 error codes (and HTTP status codes, which are all that an answer to HEAD has): cause and fix.
_CODES = {
    "InvalidAccessKeyId": ("the store does not know the access key", _KEYS),
    "SignatureDoesNotMatch": ("the secret key does not belong to the access key", _KEYS),
    "ExpiredToken": ("the temporary credentials have expired", "get new ones"),
    "InvalidToken": ("the session token is not valid", "check AWS_SESSION_TOKEN"),
    "AccessDenied": (
        "the store refuses this access key",
        "allow it to list the bucket and to get, put and delete its objects",
    ),
    "NoSuchBucket": ("there is no such bucket", "create it or correct S3_BACKUP_BUCKET"),
    "InvalidBucketName": ("a bucket can't have this name", "correct S3_BACKUP_BUCKET"),
    "NoSuchKey": ("there is no such object", "list the bucket again; it may have been deleted"),
    "PreconditionFailed": ("the object was replaced meanwhile", "list the bucket again"),
    "NoSuchUpload": (
        "the store does not know this multipart upload any more",
        "look for a lifecycle rule or another job that aborted it, then upload again",
    ),
    "RequestTimeTooSkewed": ("this host's clock and the store's differ too much", _CLOCK),
    "RequestExpired": ("this host's clock and the store's differ too much", _CLOCK),
    "AuthorizationHeaderMalformed": (
        "the store expects another region",
        "correct AWS_DEFAULT_REGION",
    ),
    "PermanentRedirect": ("the bucket is in another region", "correct AWS_DEFAULT_REGION"),
    "SlowDown": ("the store is overloaded and asks to slow down", _LATER),
    "BadDigest": ("the data was damaged on its way", "check the network, then upload again"),
    "XAmzContentSHA256Mismatch": (
        "the data was damaged on its way",
        "check the network, then upload again",
    ),
    "NotImplemented": ("the store can't do what was asked", "use another store"),
    "QuotaExceeded": ("the store's quota is used up", "delete old backups or raise the quota"),
    "XMinioStorageFull": ("the store is full", "add space to the store"),
    "InsufficientStorage": ("the store is full", "add space to the store"),
}
_ALIASES = {
    "403": "AccessDenied", "Forbidden": "AccessDenied", "AllAccessDisabled": "AccessDenied",
    "401": "AccessDenied", "AccountProblem": "AccessDenied",
    "404": "NoSuchKey", "412": "PreconditionFailed", "507": "InsufficientStorage",
    "301": "PermanentRedirect", "IllegalLocationConstraintException": "PermanentRedirect",
    "ExpiredTokenException": "ExpiredToken", "501": "NotImplemented",
}  # fmt: skip


def code_of(error: BaseException) -> str:
    """The S3 error code of a ClientError, the HTTP status if it has none, or ''."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    code = str(response.get("Error", {}).get("Code", ""))
    return code or str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


def is_missing(error: BaseException) -> bool:
    """Whether the error says that the object is not there."""
    return code_of(error) in {"404", "NoSuchKey", "NotFound"}


@dataclass(frozen=True, slots=True)
class Address:
    """Which bucket, and where.

    Attributes:
        bucket: Its name.
        endpoint: URL of the store; empty for AWS.
    """

    bucket: str
    endpoint: str

    @property
    def store(self) -> str:
        """The store as an operator would call it."""
        return self.endpoint or "AWS S3"

    @contextlib.contextmanager
    def translated(self, problem: str) -> Iterator[None]:
        """Turn what boto3 raises in the block into a StorageError.

        Args:
            problem: What can't be done, with the name of the thing.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, StorageError) or not _is_of_s3(error):
                raise
            raise self.explain(problem, error) from error

    def explain(self, problem: str, error: Exception) -> StorageError:
        """The StorageError for what boto3 raised."""
        code = code_of(error)
        if code:
            cause, fix = self._answered(code, error)
        else:
            cause, fix = self._unanswered(error)
        return StorageError(problem, cause=cause, fix=fix)

    def _answered(self, code: str, error: Exception) -> tuple[str, str]:
        """Cause and fix of an error that the store sent."""
        answer = getattr(error, "response", {})
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        known = _CODES.get(_ALIASES.get(code, code))
        if known is None and status >= 500:
            known = ("the store has a fault or is overloaded", _LATER)
        if known is None:
            message = answer.get("Error", {}).get("Message") or "no explanation"
            said = " ".join(str(message)[:_SHOWN].split())
            known = (f"the store answered: {said}", "see what its documentation says")
        cause, fix = _clock(answer) or known
        code = code[:_SHOWN]
        label = code if code == str(status) or not status else f"{code}, HTTP {status}"
        return f"{cause} ({label} from {self.store}, bucket {self.bucket!r})", fix

    def _unanswered(self, error: Exception) -> tuple[str, str]:
        """Cause and fix where no answer came, or none that could be read."""
        from botocore import exceptions  # noqa: PLC0415 - boto3 is loaded when S3 is used

        if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
            return (
                "no credentials are set, or only one of the two",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        if isinstance(error, exceptions.ParamValidationError):
            return f"S3 can't take these names ({_flat(error)})", "correct S3_BACKUP_BUCKET"
        if _is_bad_url(error):
            return f"{self.store} is no usable URL", "correct S3_ENDPOINT_URL"
        if _is_of_parsing(error):
            return (
                f"the answer of {self.store} makes no sense ({_flat(error)[:_SHOWN]})",
                "see whether S3_ENDPOINT_URL leads to an S3 store; ask whoever runs it",
            )
        return self._of_network(error)

    def _of_network(self, error: Exception) -> tuple[str, str]:
        """Cause and fix where the store can't be reached."""
        network = "check S3_ENDPOINT_URL, the network and the store"
        chain = list(_chain(error))
        if any(map(_is_tls, chain)) and not any(map(_is_cut, chain)):
            return explain_tls(self.store, str(chain[-1]))  # the others repeat the URL as well
        for cause, matches in (
            (f"the host name of {self.store} can't be resolved", _is_dns),
            (f"nothing listens at {self.store} (connection refused)", _is_refused),
            (f"{self.store} did not answer in time", _is_timeout),
            (f"the connection to {self.store} was cut", _is_cut),
        ):
            if any(matches(link) for link in chain):
                return cause, network
        return f"{self.store} can't be used ({_flat(error)[:_SHOWN]})", network


def _clock(answer: dict[str, Any]) -> tuple[str, str] | None:
    """Cause and fix where a refusal comes of a wrong clock.

    Not every store says so (rclone calls it AccessDenied), and an answer to HEAD can't.
    """
    metadata = answer.get("ResponseMetadata", {})
    if metadata.get("HTTPStatusCode") not in _REFUSALS:
        return None
    try:
        at = parsedate_to_datetime(metadata.get("HTTPHeaders", {}).get("date", ""))
    except ValueError:
        return None
    if at.tzinfo is None or abs(datetime.now(UTC) - at) < _MOST_SKEW:
        return None
    return f"this host's clock and the store's differ: there it is {at:%Y-%m-%d %H:%M} UTC", _CLOCK


def _is_of_s3(error: Exception) -> bool:
    """Whether boto3, the HTTP client or the network raised it, rather than a mistake of ours."""
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 - boto3 is loaded when S3 is used
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    return (
        isinstance(
            error,
            BotoCoreError | ClientError | Boto3Error | ResponseParserError | HTTPError | OSError,
        )
        or _is_bad_url(error)
        or _is_of_parsing(error)
    )


def _is_bad_url(error: BaseException) -> bool:
    return isinstance(error, ValueError) and str(error).startswith("Invalid endpoint")


def _is_of_parsing(error: BaseException) -> bool:
    """Whether an answer made no sense to botocore, which raises whatever comes of that."""
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - see above

    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    where = innermost.tb_frame.f_globals.get("__name__", "") if innermost is not None else ""
    plain = isinstance(error, ValueError | LookupError | TypeError | ArithmeticError | RuntimeError)
    return isinstance(error, ResponseParserError) or (
        plain and where.partition(".")[0] in {"botocore", "dateutil", "xml"}
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it wraps: as cause, `reason` (urllib3) or `error` (botocore)."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, getattr(link, "reason", None)]
            waiting += [getattr(link, "kwargs", {}).get("error"), *link.args]


def _is_dns(link: BaseException) -> bool:
    return isinstance(link, socket.gaierror)


def _is_refused(link: BaseException) -> bool:
    return isinstance(link, OSError) and link.errno in {errno.ECONNREFUSED, errno.EHOSTUNREACH}


def _is_tls(link: BaseException) -> bool:
    return isinstance(link, ssl.SSLError) or type(link).__name__ == "SSLError"


def _is_timeout(link: BaseException) -> bool:
    return isinstance(link, TimeoutError) or "Timeout" in type(link).__name__


def _is_cut(link: BaseException) -> bool:
    return isinstance(link, ConnectionError) or type(link).__name__ in {
        "ConnectionClosedError", "ResponseStreamingError", "IncompleteRead", "IncompleteReadError",
        "ProtocolError", "RemoteDisconnected", "SSLEOFError", "SSLZeroReturnError",
    }  # fmt: skip


def _flat(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
