"""What OTLP over HTTP asks of a server: compressed bodies, and answers in the encoding of the request."""

from __future__ import annotations

import asyncio
import math
import zlib

from litestar import Response

from daftray.api.auth import AnyRequest
from daftray.domain.errors import InvalidInputError

LARGEST_REPORT = 10 * 1024**2
"""Bytes of a report once it is unpacked."""
_PROTOBUF = "application/x-protobuf"
_GZIP_WINDOW = 31
_LARGE = 64 * 1024
"""From here on a body is unpacked beside the event loop."""


async def report_of(request: AnyRequest) -> tuple[bytes, str | None]:
    """Return the bytes of a report and their content type. Raises `InvalidInputError`."""
    body, content_type = await request.body(), request.headers.get("content-type")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        unpack = asyncio.to_thread(_unpacked, body) if len(body) > _LARGE else None
        body = _unpacked(body) if unpack is None else await unpack
    elif encoding not in {"", "identity"}:
        raise InvalidInputError(f"Send reports as they are or with gzip, not with {encoding}.")
    return body, content_type


def taken(request: AnyRequest, *, again_in_s: float = 0.0) -> Response[bytes]:
    """Return the answer that a report is kept, and how long the sender is to gather before the next one."""
    protobuf = request.headers.get("content-type", "").startswith(_PROTOBUF)
    headers = {"Retry-After": str(math.ceil(again_in_s))} if again_in_s else {}
    # An empty message of either kind: nothing was rejected.
    return Response(
        b"" if protobuf else b"{}",
        status_code=200,
        media_type=_PROTOBUF if protobuf else "application/json",
        headers=headers,
    )


def _unpacked(body: bytes) -> bytes:
    """Return what is in a gzip stream, and refuse one that would not stop."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        data = stream.decompress(body, LARGEST_REPORT)
    except zlib.error as exc:
        raise InvalidInputError(f"The body is no gzip: {exc}") from exc
    if stream.unconsumed_tail:
        raise InvalidInputError(f"A report holds at most {LARGEST_REPORT} bytes once it is unpacked.")
    if not stream.eof:
        raise InvalidInputError("The body is no whole gzip stream.")
    return data
