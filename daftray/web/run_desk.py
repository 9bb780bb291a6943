"""The form of a run as a page: what it is for, what it is filled in with, what is wrong with that."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from litestar import Response
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest
from daftray.domain.connection import MOST_CONNECTIONS, ConnectionSort
from daftray.domain.errors import InvalidInputError
from daftray.domain.project import Project
from daftray.domain.signature import Callable
from daftray.domain.status import RETRIED, FailureReason
from daftray.entrypoints.service import Entrypoints
from daftray.identity.access import Place
from daftray.projects.connections import Connections
from daftray.projects.secrets import ProjectSecrets
from daftray.web.argument_fields import ArgumentField, Connected, argument_field
from daftray.web.form_issues import dependency_issues, issues_by_field
from daftray.web.forms import Form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, project_page
from daftray.web.prefill import Prefill
from daftray.web.run_arguments import fields_in
from daftray.web.run_form import MOST_ROWS, ROWS, SECRET_NAME, changed_fields, overrides_of, request_of
from daftray.web.run_look import Found, look_at, reshaped
from daftray.web.same_as import SameAs, same_as
from daftray.web.same_call import Call, Kind, said_by, said_in

KINDS = ("file", "module", "function")
REASONS = [reason for reason in FailureReason if reason is not FailureReason.BUDGET_EXCEEDED]


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a form is for: a new run, a run again, a run of a task. ``prefill`` is what it begins with."""

    kind: Kind
    title: str
    submit: str
    address: str
    """Where the form is, and goes to."""
    prefill: Prefill | None = None
    target: str = ""
    """The run that is repeated, by id, or the task, by name."""
    back: tuple[str, str] | None = None
    """The page that the form belongs to, and what that is called."""
    own_secrets: tuple[str, ...] = ()
    """The names of secrets that the run will have without being given them here."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Shows forms of runs of a project."""

    place: Place
    home: Project
    pages: Pages
    entrypoints: Entrypoints
    secret_names: list[str]
    connected: Connected

    async def look(self, form: Form) -> Found:
        """Return what the form's commit offers."""
        return await look_at(self.entrypoints, self.home, form)

    def page(
        self,
        request: AnyRequest,
        purpose: Purpose,
        form: Form,
        found: Found,
        wrong: InvalidInputError | None = None,
    ) -> Response[str]:
        """Return the form as it is filled in."""
        prefill = purpose.prefill or Prefill()
        chosen = found.chosen(form) if form.get("kind") == "function" else None
        form = reshaped(form, chosen, prefill)
        before = prefill.over(form) if purpose.prefill else None
        given = [row for row in range(MOST_ROWS) if form.get(f"{SECRET_NAME}{row}")]
        return self.pages.page(
            request,
            "run_form.html",
            status=HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK,
            **self._said(request, purpose, form),
            checks=f"{project_page(self.place)}/new-run/dependencies",
            form=form,
            before=before,
            changed=changed_fields(form, prefill) if before else set[str](),
            issues=issues_by_field(wrong),
            wrong=wrong,
            found=found,
            chosen=chosen,
            arguments=self._arguments(form, before, chosen),
            dependency_issues=dependency_issues(form.get("dependencies")),
            connected=self.connected,
            secret_names=self.secret_names,
            secret_rows=range(max(ROWS, max(given, default=0) + 2)),
            kinds=KINDS,
            reasons=REASONS,
            retried=RETRIED,
        )

    def same(self, request: AnyRequest, purpose: Purpose, form: Form) -> Response[str]:
        """Return what does the same as the form, alone."""
        return self.pages.page(request, "same_as.html", **self._said(request, purpose, form))

    def _said(self, request: AnyRequest, purpose: Purpose, form: Form) -> dict[str, Any]:  # a template's
        same, not_yet = None, ""
        try:
            same = self._same(request, purpose, form)
        except InvalidInputError as error:
            told = "; ".join(f"{issue.path}: {issue.message}" for issue in error.issues)
            not_yet = told or error.detail
        return {
            "purpose": purpose,
            "same": same,
            "not_yet": not_yet,
            "shows_same": form.get("look") == "code",
        }

    def _same(self, request: AnyRequest, purpose: Purpose, form: Form) -> SameAs:
        if purpose.prefill is None:
            asked = request_of(form)
            fields, secrets = said_in(asked), asked.secrets
        else:
            overrides = overrides_of(form, purpose.prefill)
            fields, secrets = said_by(overrides), overrides.get("secrets")
        call = Call(
            kind=purpose.kind,
            target=purpose.target,
            server=str(request.base_url).rstrip("/"),
            workspace=self.place.workspace.name,
            project=self.home.name,
            branch=self.home.source.remote.branch,
            fields=fields,
            secrets=tuple(secrets or ()),
        )
        return same_as(call)

    def _arguments(self, form: Form, before: Form | None, chosen: Callable | None) -> list[ArgumentField]:
        parameters = (chosen.parameters if chosen else None) or ()
        there = set(fields_in(form))
        fields = [
            argument_field(one, form, before, self.connected)
            for one in parameters
            if one.kind != "var_keyword"
        ]
        return [field for field in fields if field.name in there]


async def provide_desk(
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    pages: NamedDependency[SkipValidation[Pages]],
    entrypoints: NamedDependency[SkipValidation[Entrypoints]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> Desk:
    """Return what shows forms of runs of the path's project, with the names that these offer."""
    names = [
        [one.name for one in await connections.list(home, sort, limit=MOST_CONNECTIONS, offset=0)]
        for sort in (ConnectionSort.DATA_SOURCE, ConnectionSort.CATALOG)
    ]
    return Desk(
        place=place,
        home=home,
        pages=pages,
        entrypoints=entrypoints,
        secret_names=[secret.name for secret in await project_secrets.list(home.id)],
        connected=Connected(data_source=names[0], catalog=names[1]),
    )


AT_A_DESK = {**NAMED, "desk": Provide(provide_desk)}
"""What handlers of forms of runs may ask for, beside the ``purpose`` of their own."""
