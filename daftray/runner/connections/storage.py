"""From the ``io`` of a data source to Daft's ``IOConfig``."""

from __future__ import annotations

from daftray.runner.connections.secret_parts import as_either, as_object, as_text, aws

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_RENAMED = {"region": "region_name", "endpoint": "endpoint_url"}


def io_config(io: Mapping[str, Any] | None, secrets: Mapping[str, str]) -> Any:
    """Return an ``IOConfig``, or nothing where nothing is said: Daft then takes its own default."""
    given = {kind: part for kind, part in (io or {}).items() if part is not None}
    if not given:
        return None
    import daft.io

    made = {kind: _MAKERS[kind](dict(part), secrets) for kind, part in given.items()}
    return daft.io.IOConfig(**made)


def _s3(part: dict[str, Any], secrets: Mapping[str, str]) -> Any:
    """Return an ``S3Config``.

    Not with a ``credentials_provider``: Daft 0.7 prints what a provider gave, secret key included, where it
    prints a configuration, while of keys that it was given it prints the key id only (`plans.py`).
    """
    from daft.io import S3Config

    name = part.pop("secret_name", None)
    options = _options(part, _RENAMED)
    if name is not None:
        found = aws(secrets, name)
        region = found.pop("region", None)
        options.update(found)
        if region is not None:
            options.setdefault("region_name", region)
    return S3Config(**_plain_http(options))


def _plain_http(options: dict[str, Any]) -> dict[str, Any]:
    if str(options.get("endpoint_url", "")).startswith("http://"):
        options["use_ssl"] = False
    return options


def _azure(part: dict[str, Any], secrets: Mapping[str, str]) -> Any:
    from daft.io import AzureConfig

    name = part.pop("secret_name", None)
    options = _options(part, {"endpoint": "endpoint_url"})
    if name is not None:
        found = as_either(secrets, name)
        given = {"access_key": found} if isinstance(found, str) else found
        if "account_key" in given:
            given = {**given, "access_key": given["account_key"]}
        keys = ("access_key", "sas_token", "bearer_token", "tenant_id", "client_id", "client_secret")
        options.update({key: given[key] for key in keys if given.get(key)})
    return AzureConfig(**options)


def _gcs(part: dict[str, Any], secrets: Mapping[str, str]) -> Any:
    from daft.io import GCSConfig

    name = part.pop("secret_name", None)
    options = dict(part)
    if name is not None:
        found = as_either(secrets, name)
        if isinstance(found, str):
            options["token"] = found
        elif isinstance(found.get("token"), str) and "type" not in found:
            options["token"] = found["token"]
        else:  # the file that Google gives a service account, as it is
            options["credentials"] = secrets[name]
    return GCSConfig(**options)


def _by_token(config: str, argument: str) -> Callable[[dict[str, Any], Mapping[str, str]], Any]:
    def make(part: dict[str, Any], secrets: Mapping[str, str]) -> Any:
        import daft.io

        name = part.pop("secret_name", None)
        if config == "UnityConfig":
            part.setdefault(argument, None)
        if name is not None:
            part[argument] = as_text(secrets, name, "token")
        return getattr(daft.io, config)(**part)

    return make


def gravitino_keys(part: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return auth_type, username, password and token of a Gravitino."""
    auth_type = part.get("auth_type") or "simple"
    keys: dict[str, Any] = {
        "auth_type": auth_type,
        "username": part.get("username"),
        "password": None,
        "token": None,
    }
    if part.get("secret_name"):
        field = "token" if auth_type == "oauth2" else "password"
        keys[field] = as_text(secrets, part["secret_name"], field)
    return keys


def _gravitino(part: dict[str, Any], secrets: Mapping[str, str]) -> Any:
    from daft.io import GravitinoConfig

    keys = gravitino_keys(part, secrets)
    return GravitinoConfig(endpoint=part["endpoint"], metalake_name=part["metalake_name"], **keys)


def _regional(config: str, keys: tuple[str, ...]) -> Callable[[dict[str, Any], Mapping[str, str]], Any]:
    def make(part: dict[str, Any], secrets: Mapping[str, str]) -> Any:
        import daft.io

        name = part.pop("secret_name", None)
        if name is not None:
            given = as_object(secrets, name, " and ".join(keys))
            part.update({key: given[key] for key in keys if given.get(key)})
        return getattr(daft.io, config)(**part)

    return make


def _options(part: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    return {renamed.get(name, name): value for name, value in part.items() if value is not None}


_MAKERS: dict[str, Callable[[dict[str, Any], Mapping[str, str]], Any]] = {
    "s3": _s3,
    "azure": _azure,
    "gcs": _gcs,
    "http": _by_token("HTTPConfig", "bearer_token"),
    "hf": _by_token("HuggingFaceConfig", "token"),
    "unity": _by_token("UnityConfig", "token"),
    "gravitino": _gravitino,
    "tos": _regional("TosConfig", ("access_key", "secret_key", "security_token")),
    "cos": _regional("CosConfig", ("secret_id", "secret_key", "security_token")),
}
