"""The form of a project: its name, where its code is, what opens that, and how many runs go on at a time."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from daftray.domain.errors import DaftrayError, InputIssue, SourceError
from daftray.domain.forms import read
from daftray.domain.project import Project, ProjectPatch, ProjectRequest
from daftray.web.forms import Form
from daftray.web.kept_input import remote_without_user
from daftray.web.refusals import Refusal, refusal_of

Tag = Literal["git", "github"]


class ProjectForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it is filled in. ``tag`` is what its source comes under, which stays what it is."""

    name: str = ""
    remote: str = ""
    branch: str = ""
    credential: str = ""
    max_running: str = ""
    tag: Tag = "git"

    @property
    def at(self) -> str:
        """The path of the source's fields."""
        return f"source.{self.tag}"

    @property
    def fields(self) -> list[str]:
        """The paths of all fields, which are their names."""
        return ["name", *(f"{self.at}.{one}" for one in ("remote", "branch", "credential")), "max_running"]

    def request(self, refusal: str) -> ProjectRequest:
        """Return the project that the form asks for. Raises `InvalidInputError` with every issue."""
        given = {"remote": self.remote, "branch": self.branch, "credential": self.credential}
        source = {name: text for name, text in given.items() if text}
        raw: dict[str, object] = {"name": self.name, "source": {self.tag: source}}
        if self.max_running:
            raw["max_running"] = _number(self.max_running)
        return read(raw, ProjectRequest, "", refusal=refusal)

    def patch(self) -> ProjectPatch:
        """Return the change that the form asks for. Raises `InvalidInputError` with every issue."""
        asked = self.request("The project cannot be changed as asked.")
        return ProjectPatch(name=asked.name, source=asked.source, max_running=asked.max_running)

    def refusal_of(self, error: DaftrayError) -> Refusal:
        """Return an error as this form shows it: what is wrong with a source is wrong with its remote."""
        refused = refusal_of(error)
        if isinstance(error, SourceError) and not refused.issues:
            issue = InputIssue(path=f"{self.at}.remote", message=error.detail)
            refused = replace(refused, detail="The source cannot be used.", issues=(issue,))
        return refused

    @property
    def shown_again(self) -> ProjectForm:
        """It without a user or password in the remote, which belong into a secret."""
        return replace(self, remote=remote_without_user(self.remote))


def form_of(project: Project) -> ProjectForm:
    """Return a project as a form."""
    remote = project.source.remote
    return ProjectForm(
        name=project.name,
        remote=remote.remote,
        branch=remote.branch,
        credential=remote.credential or "",
        max_running=str(project.max_running or ""),
        tag=tag_of(project),
    )


def tag_of(project: Project) -> Tag:
    """Return what a project's source is under."""
    return "github" if project.source.github else "git"


def sent_form(form: Form, tag: Tag = "git") -> ProjectForm:
    """Return a form as it was sent."""
    at = f"source.{tag}"
    return ProjectForm(
        name=form.get("name").strip(),
        remote=form.get(f"{at}.remote").strip(),
        branch=form.get(f"{at}.branch").strip(),
        credential=form.get(f"{at}.credential").strip(),
        max_running=form.get("max_running").strip(),
        tag=tag,
    )


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else text
