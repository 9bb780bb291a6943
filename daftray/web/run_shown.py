"""A run as its pages show it: its head, its tabs, and what the caller may do with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import AnyRequest
from daftray.domain.ports import Clock
from daftray.domain.principal import Role
from daftray.domain.project import Project
from daftray.domain.run import Run
from daftray.identity.access import Place
from daftray.identity.names import Names
from daftray.runs.service import Runs
from daftray.web.phases import parts_of, took
from daftray.web.places import NAMED, project_page, run_page

TABS = (
    ("", "Details"),
    ("/logs", "Logs"),
    ("/problems", "Problems"),
    ("/results", "Results"),
    ("/metrics", "Metrics"),
)


class RunShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the frame of a run's pages needs."""

    run: Run
    base: str
    """The address of the run's first page."""
    api: str
    """The address of the run in the API."""
    may_run: bool
    frame: dict[str, Any]
    """What every tab's template gets (``Any``: templates take anything)."""


async def provide_shown(
    request: AnyRequest,
    run: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    names: NamedDependency[SkipValidation[Names]],
    clock: NamedDependency[SkipValidation[Clock]],
) -> RunShown:
    """Return the path's run, as its pages show it. Raises `RunNotFoundError`."""
    found, now = await run_service.get(home, run), clock.now()
    base, may_run = run_page(place, found.id), place.role is not None and place.role >= Role.RUNNER
    inside = "/".join(
        quote(part, safe="") for part in (place.workspace.name, "projects", home.name, "runs", found.id)
    )
    api = f"/v1/workspaces/{inside}"
    frame = {
        "run": found,
        "base": base,
        "home": project_page(place),
        "api": api,
        "may_run": may_run,
        "who": (await names.of([found.created_by]))[found.created_by],
        "phases": parts_of(found, now),
        "seconds": took(found, now),
        "tabs": [(name, base + path, _is_at(request.url.path, base + path, path)) for path, name in TABS],
    }
    return RunShown(run=found, base=base, api=api, may_run=may_run, frame=frame)


def _is_at(here: str, tab: str, path: str) -> bool:
    """Whether a page is a tab, or below it; of the first tab every other one is."""
    return here == tab or (bool(path) and here.startswith(f"{tab}/"))


OF_A_RUN = {**NAMED, "shown": Provide(provide_shown)}
"""What handlers of a run's pages may ask for."""
