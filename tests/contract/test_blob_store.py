"""What every `BlobStore` does."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import InMemoryBlobs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftray.adapters.blobs import ObjectBlobs, store
from daftray.domain.errors import BlobNotFoundError
from daftray.domain.ports import BlobStore

KEY = "runs/run_1/log/1"


@pytest.fixture(params=["memory", "folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Each store there is."""
    if request.param == "memory":
        return InMemoryBlobs()
    place = tmp_path / "made" / "here" if request.param == "folder" else request.getfixturevalue("s3_url")
    return ObjectBlobs(place)


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


async def test_a_list_is_what_lies_below_a_prefix(blobs: BlobStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    keys = {"runs/run_1/1/log/00000000": b"1" * 7, "runs/run_1/1/result": b"", "runs/run_10/1/result": b"22"}
    for key, data in keys.items():
        await blobs.put(key, data)
    found = {blob.key: blob async for blob in blobs.list("runs/run_1/")}
    assert {key: blob.size for key, blob in found.items()} == {
        "runs/run_1/1/log/00000000": 7,
        "runs/run_1/1/result": 0,
    }
    assert all(before < blob.modified < datetime.now(UTC) + timedelta(seconds=2) for blob in found.values())
    assert {blob.key async for blob in blobs.list("runs/")} == keys.keys()
    assert [blob async for blob in blobs.list("runs/run_1/1/result/")] == []
    assert [blob async for blob in blobs.list("never/")] == []


async def test_what_is_listed_may_be_deleted_meanwhile(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PAGE", 100)
    await asyncio.gather(*(blobs.put(f"runs/{number % 50}/log/{number}", b"1") for number in range(250)))
    async for blob in blobs.list("runs/"):
        await blobs.delete(blob.key)
    assert [blob async for blob in blobs.list("runs/")] == []


@pytest.mark.parametrize("prefix", ["", "/", "runs", "../", "runs//", "runs/../"])
async def test_a_prefix_that_is_none_is_refused(blobs: BlobStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        [blob async for blob in blobs.list(prefix)]


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


async def test_a_folder_that_is_emptied_goes(tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path / "blobs")
    await blobs.put("runs/run_1/1/log/0", b"1")
    await blobs.put("runs/run_2/1/log/0", b"1")
    await blobs.delete("runs/run_1/1/log/0")
    assert sorted(path.name for path in (tmp_path / "blobs" / "runs").iterdir()) == ["run_2"]
    await blobs.delete("runs/run_2/1/log/0")
    await blobs.put("runs/run_2/1/log/1", b"1")
    assert await blobs.get("runs/run_2/1/log/1") == b"1"


async def test_a_folder_is_filled_while_it_is_emptied(tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path / "blobs")

    async def pass_through(number: int) -> None:
        for turn in range(100):
            await blobs.put(f"runs/run_1/log/{number}.{turn}", b"1")
            await blobs.delete(f"runs/run_1/log/{number}.{turn}")

    await asyncio.gather(*(pass_through(number) for number in range(8)))
    assert [blob async for blob in blobs.list("runs/")] == []
