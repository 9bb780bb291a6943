"""Bytes under keys, in a folder or in an object store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import obstore
from obstore.exceptions import BaseError

from daftray.adapters.blobs.place import first_line, open_store
from daftray.domain.errors import BlobNotFoundError, DaftrayError, StoreUnavailableError
from daftray.domain.ports import BlobInfo

_KEY = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_LONGEST_KEY = 900
"""S3 allows 1,024 bytes; the rest is left for a prefix."""
_PIECE_BYTES = 1 << 20
_PART_BYTES = 8 << 20
"""S3 takes at most 10,000 parts: files up to 80 GB."""
_PARTS_AT_ONCE = 4
_PAGE = 1000
_PROBE = "daftray-probe"
_TRIES = 10
_FOLDER_WENT = "Unable to create dir"
_STATUS = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")


class ObjectBlobs:
    """The `BlobStore` of a folder (a path), or of an object store (``s3://bucket/prefix``).

    A folder is made where there is none. An object store takes its credentials and endpoint from the
    environment, as its own tools do (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL`` and so on).

    Errors: `BlobNotFoundError`; `StoreUnavailableError` where trying again may help; `ValueError` for a key
    that is none, since keys are made by daftray and never by its users.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        """Take a place, and look at nothing yet. Raises `InvalidInputError` where it can be none."""
        self._store = open_store(url_or_path)

    async def open(self) -> None:
        """Make sure that the store takes and gives up what daftray writes.

        Raises:
            StoreUnavailableError: it does not, with what it answered.
        """
        with _translated():
            await obstore.put_async(self._store, _PROBE, b"")
            await obstore.delete_async(self._store, _PROBE)

    async def put(self, key: str, data: bytes) -> None:
        """Keep bytes, whole or not at all, in place of what was there."""
        with _translated():
            await self._put(_checked(key), data)

    async def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes, in parts, so that a file of any size takes little memory."""
        with _translated():
            await self._put(_checked(key), path)

    async def _put(self, key: str, data: bytes | Path) -> None:
        for left in reversed(range(_TRIES)):
            try:
                await obstore.put_async(
                    self._store, key, data, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE
                )
            except BaseError as error:
                # A folder that somebody emptied went between its making and its use.
                if not left or _FOLDER_WENT not in str(error):
                    raise
            else:
                return

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return bytes ``start`` to ``end`` (exclusive), fewer where the blob ends before.

        Raises:
            BlobNotFoundError: there is no such key.
        """
        if start == 0 and end is None:
            with _translated(key):
                whole = await obstore.get_async(self._store, _checked(key))
                return bytes(await whole.bytes_async())
        # Stores differ in what they make of a range that starts behind the end, so we look first.
        size = await self.size(key)
        if size is None:
            raise _missing(key)
        stop = size if end is None else min(end, size)
        if start >= stop:
            return b""
        with _translated(key):
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=stop))

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces of about a mebibyte. Raises `BlobNotFoundError`."""
        with _translated(key):
            found = await obstore.get_async(self._store, _checked(key))
            async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    async def size(self, key: str) -> int | None:
        """Return how many bytes a key holds, or nothing where there is no such key."""
        try:
            with _translated(key):
                return (await obstore.head_async(self._store, _checked(key)))["size"]
        except BlobNotFoundError:
            return None

    async def delete(self, key: str) -> None:
        """Remove a key; one that is not there is fine."""
        try:
            with _translated(key):
                await obstore.delete_async(self._store, _checked(key))
        except BlobNotFoundError:
            return

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield the blobs below a prefix, which ends in a slash, in no order."""
        if not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} is no prefix of keys: it ends in a slash")
        with _translated():
            pages = obstore.list(self._store, _checked(prefix[:-1]), chunk_size=_PAGE)
            async for page in pages:
                for found in page:
                    modified = found["last_modified"].astimezone(UTC)
                    yield BlobInfo(key=found["path"], size=found["size"], modified=modified)


def _checked(key: str) -> str:
    """Refuse a key that could leave the folder, or that some store would spell otherwise."""
    dots = any(part.strip(".") == "" for part in key.split("/"))
    if dots or len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key for a blob")
    return key


class BlobStoreSaidError(Exception):
    """What a store said, for the server's log, without what it repeats of the request and its credentials."""


@contextmanager
def _translated(key: str | None = None) -> Generator[None, None, None]:
    """Let only daftray's own errors out; obstore's texts hold paths of the server and stay inside.

    ``key`` is what is looked for, where the call does look for something.
    """
    try:
        yield
    except (BaseError, OSError) as error:
        said = BlobStoreSaidError(f"{type(error).__name__}: {first_line(error)}")
        if key is not None and isinstance(error, FileNotFoundError):
            raise _missing(key) from said
        raise StoreUnavailableError(
            f"The blob store does not do as asked{_answer(str(error))}: is it there, and not full, and may "
            "daftray write there?"
        ) from said


def _answer(text: str) -> str:
    """Return what an object store answered: the status, and S3's own word for it (``NoSuchBucket``)."""
    status, code = _STATUS.search(text), _S3_CODE.search(text)
    words = [found[1].strip() for found in (status, code) if found]
    return f" ({', '.join(words)})" if words else ""


def _missing(key: str) -> DaftrayError:
    return BlobNotFoundError(f"There is no blob {key}.")
