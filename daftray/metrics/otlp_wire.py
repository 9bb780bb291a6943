"""OpenTelemetry's protocol (OTLP/HTTP, opentelemetry-proto 1.x) as it comes: JSON or protobuf, one meaning.

JSON is what daftray's runner sends, and is decoded at once into what is read of it. Protobuf is what other
exporters send; it becomes the same structs by way of its own JSON mapping.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from daftray.domain.errors import InvalidInputError

PROCESS = "daftray.process"
"""The resource attribute that tells processes of a run apart."""
_PARTS = ("service.instance.id", "host.name", "process.pid", "service.name")
"""What tells apart the processes of exporters that know nothing of daftray, as far as they say it."""
JSON = "application/json"
PROTOBUF = "application/x-protobuf"

LONGEST_TEXT = 256
_MOST_ATTRIBUTES = 64

Request = TypeVar("Request")


class AnyValue(msgspec.Struct, frozen=True, rename="camel"):
    """A value of an attribute. Lists and maps are passed over."""

    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None

    def plain(self) -> str | int | float | None:
        """Return the value; nothing where it is of a kind that is passed over. Raises `ValueError`."""
        if self.string_value is not None:
            return self.string_value
        if self.int_value is not None:
            return int(self.int_value)
        return self.bool_value if self.double_value is None else float(self.double_value)

    def text(self, longest: int = LONGEST_TEXT) -> str:
        """Return the value as text, cut off; none where it is of a kind that is passed over."""
        for value in (self.string_value, self.int_value, self.double_value, self.bool_value):
            if value is not None:
                return str(value)[:longest]
        return ""


class KeyValue(msgspec.Struct, frozen=True):
    """An attribute."""

    key: str
    value: AnyValue = AnyValue()


class Resource(msgspec.Struct, frozen=True):
    """What a report comes from."""

    attributes: list[KeyValue] = []


class Scope(msgspec.Struct, frozen=True):
    """The library that measured."""

    name: str = ""


def decode(body: bytes, content_type: str | None, type_: type[Request]) -> Request:
    """Return an export request, of a struct that follows OTLP's JSON mapping.

    Raises:
        InvalidInputError: it is not one, or neither JSON nor protobuf.
    """
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    try:
        if kind == JSON:
            return msgspec.json.decode(body, type=type_)
        if kind == PROTOBUF:
            # Only here: most servers never meet it, and it takes 50 ms to import.
            from daftray.metrics import otlp_protobuf  # noqa: PLC0415

            return msgspec.convert(otlp_protobuf.plain(body, type_.__name__), type_)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as exc:
        raise InvalidInputError(f"This is no OTLP request ({kind}): {exc}") from exc
    raise InvalidInputError(f"OTLP comes as {JSON} or {PROTOBUF}, not as {kind}.")


def attributes(pairs: list[KeyValue]) -> dict[str, str]:
    """Return attributes as text, so many and so long as a series may have."""
    return {item.key[:LONGEST_TEXT]: item.value.text() for item in pairs[:_MOST_ATTRIBUTES]}


def process_of(resource: Resource) -> str | None:
    """Return the name that the runner gave to the process, if it comes from the runner."""
    return next((item.value.text() for item in resource.attributes if item.key == PROCESS), None)


def process_or_guess(resource: Resource) -> str:
    """Return what tells a process apart, as well as its resource says it."""
    if (own := process_of(resource)) is not None:
        return own
    told = {item.key: item.value.text() for item in resource.attributes}
    return "-".join(told[key] for key in _PARTS if told.get(key)) or "unnamed"
