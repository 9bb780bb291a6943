"""Where blobs are kept: a folder, or an object store by URL."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from daftray.domain.errors import InvalidInputError, StoreUnavailableError

_KINDS = frozenset({"s3", "s3a", "gs", "az", "abfs", "abfss"})
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT")


def open_store(url_or_path: str | Path) -> ObjectStore:
    """Return the store of a folder, which is made where there is none, or of a URL.

    Raises:
        InvalidInputError: the URL is none of an object store, or holds more than a bucket and a prefix (the
            message does not hold it), or the store's own variables do not suffice.
        StoreUnavailableError: the folder cannot be made.
    """
    try:
        if not (isinstance(url_or_path, str) and _REMOTE.match(url_or_path)):
            # What is removed takes its empty folders along, or a million runs would leave as many behind.
            return LocalStore(Path(url_or_path).absolute(), automatic_cleanup=True, mkdir=True)
        _check(url_or_path)
        return from_url(
            url_or_path,
            client_options={"connect_timeout": "5s", "timeout": "60s", "allow_http": _plain(os.environ)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )
    except BaseError as error:
        raise InvalidInputError(f"DAFTRAY_BLOBS_URL cannot be used: {first_line(error)}.") from None
    except OSError as error:
        raise StoreUnavailableError("The folder of the blobs cannot be made.") from error


def first_line(error: Exception) -> str:
    """Return what an error of obstore says before it repeats the request or the answer."""
    return str(error).partition("\n")[0].partition("<")[0].strip()


def _plain(environ: Mapping[str, str]) -> bool:
    """Tell whether the operator wants a store without TLS: the endpoint says so."""
    return any(environ.get(name, "").lower().startswith("http://") for name in _ENDPOINTS)


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme.lower() not in _KINDS or not parts.hostname:
        raise InvalidInputError(
            "DAFTRAY_BLOBS_URL is to be a folder's path, s3://bucket/prefix, gs://bucket/prefix or "
            "az://container/prefix."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidInputError(
            "DAFTRAY_BLOBS_URL names a bucket and a prefix, and nothing else: keys, region and endpoint go "
            "into the variables that the store's own tools read (AWS_ACCESS_KEY_ID and so on)."
        )
