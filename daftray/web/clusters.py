"""The cluster that runs go to, in a browser: its health, versions, nodes and limits, and what runs there."""

from __future__ import annotations

import platform

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec.structs import replace

import daftray
from daftray.api.auth import AnyRequest, viewer
from daftray.domain.cluster import TESTED_RAY
from daftray.domain.errors import ProjectNotFoundError
from daftray.domain.ports import Clock, RunQuery
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.queue import ClusterLoad
from daftray.domain.run import Run
from daftray.domain.status import ON_CLUSTER, RunStatus
from daftray.identity.access import Access, Place
from daftray.runs.clusters import Clusters, ClusterSeen
from daftray.runs.service import Runs
from daftray.web.pages import Pages
from daftray.web.phases import took
from daftray.web.places import NAMED, PROJECT, project_page

_MOST_RUNS = 50
"""Of this project's runs, of each of the two lists."""
_MOST_PROJECTS = 20
"""Other projects that are named; the rest is counted together."""
_MOST_NODES = 100


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What a project, or several together, have of a cluster; those without ``address`` may not be seen."""

    name: str
    address: str | None = None
    running: int
    waiting: int
    limit: int | None = None


@get("/clusters", guards=[viewer], include_in_schema=False)
async def show_cluster(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    caller: NamedDependency[SkipValidation[Principal]],
    clusters: NamedDependency[SkipValidation[Clusters]],
    run_service: NamedDependency[SkipValidation[Runs]],
    clock: NamedDependency[SkipValidation[Clock]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the cluster, whether it answers or not."""
    seen = await clusters.look()
    found = [
        await run_service.list(RunQuery(project=home.id, status=status, limit=_MOST_RUNS))
        for status in (RunStatus.RUNNING, RunStatus.PENDING)
    ]
    live, now = [run for runs in found for run in runs if run.cluster == seen.name], clock.now()
    nodes = seen.answers.nodes or ()
    return pages.page(
        request,
        "clusters.html",
        heading="Cluster",
        seen=seen,
        notes=notes_of(seen),
        nodes=nodes[:_MOST_NODES],
        nodes_left=max(0, len(nodes) - _MOST_NODES),
        version=daftray.__version__,
        here=[(run, took(run, now)) for run in live if run.phase in ON_CLUSTER],
        queue=sorted((run for run in live if run.phase not in ON_CLUSTER), key=_turn),
        most=_MOST_RUNS,
        full=any(len(runs) == _MOST_RUNS for runs in found),
        runs=f"{project_page(place)}/runs",
        shares=await _shares(request.app.state["access"], caller, place, seen.load),
    )


def notes_of(seen: ClusterSeen) -> list[str]:
    """Return what of the cluster's versions is worth a word."""
    info, notes = seen.answers.info, list[str]()
    if info is None:
        return notes
    if info.ray_version.split(".")[:2] != TESTED_RAY.split("."):
        notes.append(
            f"Ray {info.ray_version} is not the release that this daftray is tested with, {TESTED_RAY}."
        )
    here = platform.python_version_tuple()
    if info.python_version.split(".")[:2] != list(here[:2]):
        notes.append(
            f"Runs have Python {info.python_version}. This server has {here[0]}.{here[1]}, and reads by it "
            "what functions a file holds."
        )
    return notes


def _turn(run: Run) -> tuple[int, str]:
    return (-run.priority, run.id)


async def _shares(access: Access, caller: Principal, place: Place, load: ClusterLoad) -> list[Share]:
    """Return what each project has of the cluster: by name where the caller may see it, else in one sum."""
    home = place.project.id if place.project else ""
    ids = (load.running.keys() | load.waiting.keys()) - {home}
    named = [_share(place, load)]
    others = Share(name="other projects", running=0, waiting=0)
    for number, project in enumerate(sorted(ids, key=lambda one: (-load.running.get(one, 0), one))):
        if number < _MOST_PROJECTS:
            try:
                named.append(_share(await access.home_of(caller, project), load))
                continue
            except ProjectNotFoundError:
                pass  # one of those that are not for the caller
        running, waiting = load.running.get(project, 0), load.waiting.get(project, 0)
        others = replace(others, running=others.running + running, waiting=others.waiting + waiting)
    return [*named, others] if others.running or others.waiting else named


def _share(place: Place, load: ClusterLoad) -> Share:
    project = place.project
    name, identity = (project.name, project.id) if project else ("", "")
    return Share(
        name=f"{place.workspace.name} / {name}",
        address=f"{project_page(place)}/runs",
        running=load.running.get(identity, 0),
        waiting=load.waiting.get(identity, 0),
        limit=load.limits.get(identity),
    )


router = Router(PROJECT, route_handlers=[show_cluster], dependencies=dict(NAMED))
