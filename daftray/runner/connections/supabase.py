"""Supabase's storage: by its S3 protocol with keys of that, or file by file over HTTP with a service key."""

from __future__ import annotations

from daftray.runner.connections import storage as io
from daftray.runner.connections.secret_parts import ConnectionProblem, as_either, as_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PATTERN = frozenset("*?[{")


def storage(part: Mapping[str, Any], secrets: Mapping[str, str]) -> tuple[list[str], Any]:
    """Return the addresses of the files of a bucket, and the ``IOConfig`` that opens them."""
    name, bucket = part["secret_name"], str(part["bucket"])
    base = str(part["project_url"]).rstrip("/")
    paths = [str(path).removeprefix("/") for path in part.get("paths") or ()]
    found = as_either(secrets, name)
    if isinstance(found, dict) and not (found.get("service_key") or found.get("key")):
        s3 = {
            "endpoint": f"{base}/storage/v1/s3",
            "secret_name": name,
            "region": found.get("region", "us-east-1"),
        }
        keys = paths or ["**"]
        return [f"s3://{bucket}/{path}" for path in keys], io.io_config({"s3": s3}, secrets)
    if not paths or any(_PATTERN & set(path) for path in paths):
        raise ConnectionProblem(
            f"the secret {name} is a service key, which opens files by full paths only: list the paths, "
            "or make it a JSON object with access_key_id and secret_access_key of Supabase's S3 protocol"
        )
    from daft.io import HTTPConfig, IOConfig

    token = as_text(secrets, name, "service_key", "key")
    urls = [f"{base}/storage/v1/object/authenticated/{bucket}/{path}" for path in paths]
    return urls, IOConfig(http=HTTPConfig(bearer_token=token))
