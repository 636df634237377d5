"""What a store answers, looked at before anybody relies on it: stores have faults too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgconsole.untrusted import is_count, within

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ObjectTypeDef


# Three times what is tried with. A store that invents keys has to be told from a large one.
MOST_OBJECTS = 300_000
MOST_PAGES = 10_000  # also of empty ones

# What an answer has to have, whatever was asked for. A server that is no store answers as well, a
# web console say: without this its page would be an empty bucket.
_NEEDED = {
    "ListObjectsV2": ("IsTruncated",),
    "HeadObject": ("ContentLength", "LastModified", "ETag"),
    "GetObject": ("ContentLength", "ETag"),
    "CreateMultipartUpload": ("UploadId",),
    "UploadPart": ("ETag",),
}
_OF_EACH = {
    "ListObjectsV2": ("Contents", ("Key", "Size", "LastModified", "ETag")),
    "ListParts": ("Parts", ("PartNumber", "Size")),
}
_KINDS: dict[str, type] = {"LastModified": datetime, "IsTruncated": bool}
_GOES_ON_WITH = {"NextContinuationToken", "NextPartNumberMarker"}
_COUNTS = frozenset({"ContentLength", "Size", "PartNumber"})


def look_at_answers(client: S3Client) -> None:
    """Let the client raise where an answer leaves out what all rely on, or says what can't be."""
    client.meta.events.register("after-call.s3", _look_at_answer)


def each_once(
    pages: Iterable[ListObjectsV2OutputTypeDef], prefix: str
) -> Iterator[list[ObjectTypeDef]]:
    """The objects of a list, page by page, each object once.

    Args:
        pages: As the store gives them.
        prefix: How all keys begin that were asked for.

    Raises:
        ResponseParserError: The list begins again, does not end, or is of other keys.
    """
    seen: set[str] = set()
    for number, page in enumerate(pages, start=1):
        found = {one["Key"]: one for one in page.get("Contents", [])}
        for key in found:
            if not key.startswith(prefix):
                raise _senseless(f"asked for {prefix!r}, it lists {key!r:.200}")
        new = [one for key, one in found.items() if key not in seen]
        if found and not new:
            raise _senseless(f"the list of objects begins again with {next(iter(found))!r:.200}")
        seen |= found.keys()
        if len(seen) > MOST_OBJECTS or number > MOST_PAGES:
            raise _senseless(f"the list of objects has not ended after {len(seen):,}")
        yield new


def _look_at_answer(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    if parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 300:
        return  # an error, which botocore raises
    _look_at(parsed, _NEEDED.get(model.name, ()), "it")
    if model.name in _OF_EACH:
        name, fields = _OF_EACH[model.name]
        for found in parsed.get(name, []):
            _look_at(found, fields, f"{found.get('Key', name)!r:.200}")
        if parsed.get("IsTruncated") and not parsed.keys() & _GOES_ON_WITH:
            raise _senseless("it is the beginning of a list, and does not say how that goes on")


def _look_at(found: dict[str, Any], fields: tuple[str, ...], what: str) -> None:
    """Whether all is there. A time that can't be becomes the nearest that can."""
    for name in fields:
        value = found.get(name)
        fits = is_count(value) if name in _COUNTS else isinstance(value, _KINDS.get(name, str))
        if not fits:
            raise _senseless(f"{what} has no {name}, or one that can't be")
        if isinstance(value, datetime):
            found[name] = within(value)


def _senseless(why: str) -> Exception:
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - loaded when S3 is used

    return ResponseParserError(why)
