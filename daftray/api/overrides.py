"""Bodies that override fields of a request that was kept before, one by one."""

from __future__ import annotations

from typing import Any

import msgspec

from daftray.api.strict import refuse_unknown
from daftray.domain.errors import InvalidInputError
from daftray.runs.requests import misfit


def read_overrides(body: bytes, kind: type[msgspec.Struct], **required: Any) -> dict[str, Any]:
    """Return the overriding fields; their values can be of any type until the whole is converted.

    Args:
        body: what was sent; nothing overrides nothing.
        kind: the type of the whole request.
        required: fields without a default: with them, the overrides are a request of their own.

    Raises:
        InvalidInputError: it is no JSON object, or one with fields that do not exist or are of another type.
    """
    body = body or b"{}"
    try:
        overrides = msgspec.json.decode(body, type=dict[str, Any])
        request = msgspec.convert({**required, **overrides}, kind)
    except msgspec.ValidationError as exc:
        raise misfit(exc) from exc
    except (msgspec.DecodeError, ValueError) as exc:
        raise InvalidInputError(f"The body is no JSON object: {exc}") from exc
    refuse_unknown(body, request)
    return overrides
