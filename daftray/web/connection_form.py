"""The form of a data source or a catalog: by the fields of its kind, or as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from daftray.domain.catalog import CatalogRequest
from daftray.domain.connection import Connection
from daftray.domain.data_source import DataSourceRequest
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.forms import read
from daftray.web.connection_sorts import Sort
from daftray.web.forms import Form
from daftray.web.kept_input import json_without_credentials, without_credentials
from daftray.web.typed_fields import Group, fits, groups_of, texts_of, value_of


class ConnectionForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it is filled in. ``kind`` is one that there is, or nothing; ``texts`` are by field."""

    sort: Sort
    name: str = ""
    kind: str = ""
    as_json: bool = False
    text: str = ""
    """The info as JSON, where it is given so."""
    texts: dict[str, str] = {}

    @property
    def path(self) -> str:
        """The path of what the fields are of."""
        return f"info.{self.kind}"

    @property
    def groups(self) -> list[Group]:
        """The fields of the kind."""
        found = self.sort.kinds.get(self.kind)
        return groups_of(found, self.path) if found and not self.as_json else []

    @property
    def names(self) -> list[str]:
        """The names of all fields."""
        own = ["info"] if self.as_json else [field.path for group in self.groups for field in group.fields]
        return ["name", *own]

    @property
    def shown_again(self) -> ConnectionForm:
        """It without the credentials that do not belong into it."""
        pairs = {field.path for group in self.groups for field in group.fields if field.look == "pairs"}
        texts = {path: without_credentials(text, pairs=path in pairs) for path, text in self.texts.items()}
        return replace(self, text=json_without_credentials(self.text), texts=texts)

    def request(self) -> DataSourceRequest | CatalogRequest:
        """Return what the form asks for. Raises `InvalidInputError` with every issue."""
        refusal = f"The {self.sort.word} cannot be kept as it is given."
        info, issues = self._info()
        try:
            asked = read({"name": self.name, "info": info}, self.sort.request, "", refusal=refusal)
        except InvalidInputError as error:
            told = {issue.path for issue in issues}
            issues += [issue for issue in error.issues if issue.path not in told]
            raise InvalidInputError(refusal, issues=tuple(issues)) from error
        if issues:
            raise InvalidInputError(refusal, issues=tuple(issues))
        return asked

    def _info(self) -> tuple[Any, list[InputIssue]]:  # JSON
        if not self.as_json:
            value, issues = value_of(self.groups, self.path, self.texts)
            return {self.kind: value} if self.kind else {}, issues
        try:
            return msgspec.json.decode(self.text), []
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return {}, [InputIssue(path="info", message=f"is no JSON: {error}")]


def empty_form(sort: Sort, kind: str, *, as_json: bool) -> ConnectionForm:
    """Return a form with nothing in it."""
    known = kind if kind in sort.kinds else ""
    text = msgspec.json.format(msgspec.json.encode({known or next(iter(sort.kinds)): {}}), indent=2)
    return ConnectionForm(sort=sort, kind=known, as_json=as_json, text=text.decode() if as_json else "")


def form_of(sort: Sort, connection: Connection, *, kind: str = "", as_json: bool = False) -> ConnectionForm:
    """Return what is kept as a form; as JSON, too, where fields cannot hold it. Another kind starts anew."""
    own = next(iter(connection.info), "")
    text = msgspec.json.format(msgspec.json.encode(connection.info), indent=2).decode()
    form = ConnectionForm(
        sort=sort, name=connection.name, kind=own, text=text, texts=texts_of(connection.info, "info")
    )
    if kind in sort.kinds and kind != own:
        return replace(form, kind=kind, text="", texts={})
    return replace(form, as_json=as_json or not fits(connection.info.get(own), form.groups, form.path))


def sent_form(sort: Sort, form: Form) -> ConnectionForm:
    """Return a form as it was sent."""
    kind, as_json = form.get("kind"), form.get("form") == "json"
    return ConnectionForm(
        sort=sort,
        name=form.get("name").strip(),
        kind=kind if kind in sort.kinds else "",
        as_json=as_json,
        text=form.get("info") if as_json else "",
        texts={name: form.get(name) for name in form.names if name.startswith("info.")},
    )
