"""What every `BlobStore` does."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from fakes import InMemoryBlobs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftray.adapters.blobs import ObjectBlobs
from daftray.domain.errors import BlobNotFoundError
from daftray.domain.ports import BlobStore

KEY = "runs/run_1/log/1"


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Each store there is. Another joins by one more parameter."""
    return InMemoryBlobs() if request.param == "memory" else ObjectBlobs(tmp_path / "made" / "here")


async def test_bytes_come_back_and_the_last_put_counts(blobs: BlobStore) -> None:
    for data in (bytes(range(256)), b"", b"short"):
        await blobs.put(KEY, data)
        assert await blobs.get(KEY) == data
        assert await blobs.size(KEY) == len(data)


async def test_what_is_not_there(blobs: BlobStore) -> None:
    await blobs.put("runs/a/b", b"1")
    for key in (KEY, "runs", "runs/a", "runs/a/bb"):
        assert await blobs.size(key) is None
        with pytest.raises(BlobNotFoundError):
            await blobs.get(key)
        with pytest.raises(BlobNotFoundError):
            await blobs.get(key, start=3, end=5)
        with pytest.raises(BlobNotFoundError):
            [piece async for piece in blobs.stream(key)]
    await blobs.delete(KEY)


async def test_a_deleted_key_is_gone_and_its_neighbour_stays(blobs: BlobStore) -> None:
    await blobs.put(KEY, b"1")
    await blobs.put(f"{KEY}0", b"2")
    await blobs.delete(KEY)
    await blobs.delete(KEY)
    assert await blobs.size(KEY) is None
    assert await blobs.get(f"{KEY}0") == b"2"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.binary(max_size=64),
    start=st.integers(min_value=0, max_value=80),
    end=st.none() | st.integers(min_value=0, max_value=80),
)
def test_a_range_is_a_slice(blobs: BlobStore, data: bytes, start: int, end: int | None) -> None:
    async def check() -> None:
        await blobs.put(KEY, data)
        assert await blobs.get(KEY, start=start, end=end) == data[start:end]

    asyncio.run(check())


async def test_a_stream_is_the_whole_in_pieces(blobs: BlobStore) -> None:
    data = b"0123456789abcdef" * 200_000
    await blobs.put(KEY, data)
    pieces = [piece async for piece in blobs.stream(KEY)]
    assert b"".join(pieces) == data
    assert len(pieces) > 1
    await blobs.put(KEY, b"")
    assert [piece async for piece in blobs.stream(KEY) if piece] == []


async def test_a_file_of_several_parts_is_kept(blobs: BlobStore, tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    data = random.Random(0).randbytes(20_000_000)  # noqa: S311 (repeatable)
    path.write_bytes(data)
    await blobs.put_file("packages/a.zip", path)
    assert await blobs.size("packages/a.zip") == len(data)
    assert await blobs.get("packages/a.zip", start=8_388_600, end=8_388_620) == data[8_388_600:8_388_620]
    assert await blobs.get("packages/a.zip") == data
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        "a b",
        "a\\b",
        "a\x00",
        "ä",
        "a#1",
        "...",
        "a\n",
    ],
)
async def test_a_key_that_could_leave_the_store_is_refused(
    blobs: BlobStore, key: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1")
    for call in (
        blobs.put(key, b"1"),
        blobs.put_file(key, path),
        blobs.get(key),
        blobs.get(key, start=1),
        blobs.size(key),
        blobs.delete(key),
    ):
        with pytest.raises(ValueError, match="no key"):
            await call
    with pytest.raises(ValueError, match="no key"):
        [piece async for piece in blobs.stream(key)]


async def test_puts_at_once_leave_one_of_them_whole(blobs: BlobStore) -> None:
    candidates = [bytes([number]) * 300_000 for number in range(8)]
    await asyncio.gather(*(blobs.put(KEY, data) for data in candidates))
    assert await blobs.get(KEY) in candidates
