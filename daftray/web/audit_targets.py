"""What was changed, as the audit log shows it: by name where an id means somebody, and with a link."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from daftray.domain.audit import AuditEntry
from daftray.identity.access import Place
from daftray.web.places import project_page

_RUN = re.compile(r"run_[0-9a-z]{26}")
_HOLDER = re.compile(r"(?:usr|key)_[0-9a-z]{26}")
_PAGES = {
    "catalog": "catalogs",
    "data_source": "data-sources",
    "key": "api-keys",
    "member": "members",
    "project": "settings",
    "secret": "secrets",
}
"""The page that lists such things, by the noun of an action."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a target. ``title`` is the id where ``text`` is a name."""

    text: str
    href: str | None = None
    title: str | None = None


def holders_in(entries: Iterable[AuditEntry]) -> list[str]:
    """Return the ids of people and keys that were changed."""
    return [found for entry in entries for found in _HOLDER.findall(entry.target or "")]


def parts_of(entry: AuditEntry, place: Place, names: dict[str, str]) -> list[Part]:
    """Return the words of what an entry's change was made to; ``names`` are those of `holders_in`."""
    return [_part(word, entry, place, names) for word in (entry.target or "").split()]


def _part(word: str, entry: AuditEntry, place: Place, names: dict[str, str]) -> Part:
    if _RUN.fullmatch(word):
        return Part(text=word, href=f"/~/{word}")
    found = _HOLDER.match(word)
    text = word.replace(found[0], names.get(found[0], found[0]), 1) if found else word
    return Part(text=text, href=_page_of(word, entry, place), title=word if text != word else None)


def _page_of(word: str, entry: AuditEntry, place: Place) -> str | None:
    """Return the page of a thing in a project, or of its like; what is of a workspace has no page yet."""
    noun, _, verb = entry.action.partition(".")
    if entry.project is None or (noun, verb) == ("project", "delete"):
        return None
    own = place.project is not None and entry.project == place.project.id
    base = project_page(place)
    if not own:  # its name is not known here, and its id does as well
        base = f"{base.rpartition('/')[0]}/{quote(entry.project, safe='')}"
    if word.startswith("tsk_"):
        return f"{base}/runs?task={quote(word, safe='')}"
    return f"{base}/{_PAGES[noun]}" if noun in _PAGES else None
