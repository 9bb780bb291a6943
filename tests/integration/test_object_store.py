"""Object stores by URL: what is asked of them in clear text, what they refuse, and what an error may show."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_server import BUCKET, SECRET
from small_server import Answer, SmallServer, small_server

from daftray.adapters.blobs import ObjectBlobs, place
from daftray.adapters.blobs.store import BlobStoreSaidError
from daftray.domain.errors import InvalidInputError, StoreUnavailableError

TOKEN = "a-session-token"
REFUSAL = f"""<?xml version="1.0"?>
<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message>
<CanonicalRequest>x-amz-security-token:{TOKEN}</CanonicalRequest></Error>"""


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch, s3_url: str) -> Iterator[SmallServer]:
    """A store that answers as the test says, at the endpoint of the environment."""
    del s3_url
    with small_server() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
        yield server


async def test_a_store_is_tried_before_anything_depends_on_it(s3_url: str, tmp_path: Path) -> None:
    for where in (s3_url, str(tmp_path / "blobs")):
        blobs = ObjectBlobs(where)
        await blobs.open()
        await blobs.open()
        assert await blobs.size("daftray-probe") is None


async def test_a_bucket_that_is_not_there_is_named_for_what_it_is(s3_url: str) -> None:
    blobs = ObjectBlobs(s3_url.replace(BUCKET, "no-such-bucket"))
    with pytest.raises(StoreUnavailableError, match="404 Not Found, NoSuchBucket"):
        await blobs.open()


async def test_a_store_that_is_not_there_is_an_error_to_try_again(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StoreUnavailableError):
        await ObjectBlobs(s3_url).open()


async def test_the_keys_of_the_environment_are_used_and_never_shown(far: SmallServer) -> None:
    far.on("PUT /bucket/prefix/daftray-probe", Answer(REFUSAL.encode(), status=403, kind="application/xml"))
    with pytest.raises(StoreUnavailableError, match="403 Forbidden, SignatureDoesNotMatch") as caught:
        await ObjectBlobs("s3://bucket/prefix").open()
    (asked,) = far.asked
    assert "Credential=tests/" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == TOKEN
    assert isinstance(caught.value.__cause__, BlobStoreSaidError)
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("variables", "plain"),
    [
        ({}, False),
        ({"AWS_ENDPOINT_URL": "https://minio.example"}, False),
        ({"AWS_ENDPOINT_URL": "http://minio.example:9000"}, True),
        ({"AWS_ENDPOINT_URL_S3": "HTTP://minio.example:9000"}, True),
    ],
)
def test_a_store_is_spoken_to_without_tls_only_where_its_endpoint_says_so(
    variables: dict[str, str], plain: bool
) -> None:
    assert place._plain(variables) is plain


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:hunter2@bucket/prefix",
        "s3://bucket/prefix?aws_secret_access_key=hunter2",
        "ftp://hunter2/x",
        "https://bucket.example/hunter2",
        "s3://",
        "file:///tmp/hunter2",
    ],
)
def test_a_url_that_names_more_or_less_than_a_bucket_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidInputError, match="DAFTRAY_BLOBS_URL") as caught:
        ObjectBlobs(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(repr(url), "")


@pytest.mark.parametrize("url", ["gs://bucket/prefix", "az://container/prefix", "s3a://bucket"])
def test_other_stores_are_known_by_their_urls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    ObjectBlobs(url)


def test_a_store_whose_variables_are_missing_says_which() -> None:
    with pytest.raises(InvalidInputError, match="Account must be specified"):
        ObjectBlobs("az://container/prefix")
