"""Where pages are: the addresses of projects and runs, and what a path names."""

from __future__ import annotations

from urllib.parse import quote

from litestar.di import Provide

from daftray.api.auth import AnyRequest, place_of
from daftray.api.scope import provide_project
from daftray.domain.workspace import Workspace
from daftray.identity.access import Place

PROJECT = "/projects/{workspace:str}/{project:str}"


async def provide_place(request: AnyRequest) -> Place:
    """Return the path's workspace and project, and the caller's role there."""
    return await place_of(request)


NAMED = {"place": Provide(provide_place), "home": Provide(provide_project)}
"""What handlers of pages inside a project may ask for."""


def project_page(place: Place) -> str:
    """Return the address of a project's pages, by names."""
    project = place.project.name if place.project else ""
    return f"/projects/{quote(place.workspace.name, safe='')}/{quote(project, safe='')}"


def run_page(place: Place, run_id: str) -> str:
    """Return the address of a run's page."""
    return f"{project_page(place)}/runs/{quote(run_id, safe='')}"


def new_project_page(workspace: Workspace) -> str:
    """Return the address of the form that makes a project in a workspace."""
    return f"/new-project/{quote(workspace.name, safe='')}"


def task_page(place: Place, task_id: str) -> str:
    """Return the address below which what is done with a task is."""
    return f"{project_page(place)}/tasks/{quote(task_id, safe='')}"
