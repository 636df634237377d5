"""Answers of a store that all have to fit into memory, read in bounded memory and time.

botocore reads them to their end, however far that is: a listing, and every error, a downloaded
object's too. The objects themselves are read as their size allows.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from mypy_boto3_s3 import S3Client

# A thousand keys of 1,024 bytes, percent-encoded, with what else a list says of each: 4 MB.
LARGEST = 8 << 20  # bytes
LONGEST = 60.0  # seconds
_PIECE = 64 << 10  # bytes
# A list has 15 elements for each of its thousand objects, four deep. In memory an element takes up
# to a hundred times what it takes in the answer.
_MOST_ELEMENTS = 100_000
_DEEPEST = 50


def bound_answers(client: S3Client) -> None:
    """Let the client raise where an answer is larger, or takes longer, than any that is real."""
    # The one place behind all retries and before all parsing; botocore has no public one.
    endpoint = client._endpoint  # type: ignore[attr-defined]
    endpoint.http_session = _BoundedSession(endpoint.http_session)


class _BoundedSession:
    """botocore's HTTP session, but that it reads no further than it has to."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Send it. An answer that is no object is read to its end then.

        Raises:
            HTTPClientError: The store can't be reached, or the connection broke off.
            ResponseParserError: The answer is too large, or takes too long.
        """
        is_object = request.stream_output
        request.stream_output = True  # or botocore reads all of it in there
        response: AWSResponse = self._session.send(request)
        request.stream_output = is_object
        if not is_object or response.status_code >= 300:
            response.raw = _BoundedBody(response.raw, request)
            _look_at_shape(response.content)  # which keeps what it reads
        return response

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


def _look_at_shape(body: bytes) -> None:
    """See that a tree of it fits into memory, before botocore makes one.

    Raises:
        ResponseParserError: It has too many elements, or too many in each other.
    """
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - loaded when S3 is used

    count = depth = 0

    def begins(*_: object) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > _MOST_ELEMENTS or depth > _DEEPEST:
            raise ResponseParserError(f"it has {count:,} elements, {depth} of them in each other")

    def ends(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begins, ends
    with contextlib.suppress(expat.ExpatError):  # botocore says so where it needs XML
        parser.Parse(body, True)


class _BoundedBody:
    """What botocore needs of urllib3's response."""

    def __init__(self, raw: Any, request: AWSPreparedRequest) -> None:
        self._raw = raw
        self._request = request

    def stream(self) -> Iterator[bytes]:
        """The body, piece by piece; errors as those of botocore's session."""
        from botocore import exceptions  # noqa: PLC0415 - loaded when S3 is used
        from botocore.parsers import ResponseParserError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError, ReadTimeoutError  # noqa: PLC0415

        size, give_up = 0, time.monotonic() + LONGEST
        url = self._request.url
        try:
            for piece in self._pieces():
                size += len(piece)
                if size > LARGEST:
                    raise ResponseParserError(f"it has more than {LARGEST:,} bytes")
                if time.monotonic() > give_up:
                    raise ResponseParserError(f"it has not ended after {LONGEST:.0f} s")
                yield piece
        except ReadTimeoutError as error:
            raise exceptions.ReadTimeoutError(endpoint_url=url, error=error) from error
        except HTTPError as error:
            raise exceptions.ConnectionClosedError(
                endpoint_url=url, error=error, request=self._request
            ) from error
        finally:
            self._raw.close()  # one that was read to its end has given its connection back

    def _pieces(self) -> Iterator[bytes]:
        """As they come: not when there are enough of them, which may be never."""
        if self._raw.chunked:
            yield from self._raw.stream(_PIECE)
            return
        while piece := self._raw.read1(_PIECE):
            yield piece
