"""What of a commit can be run, over HTTP: for forms and completion."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter, SkipValidation

from daftray.api.auth import viewer
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.domain.project import Project
from daftray.domain.signature import EntrypointListing, SourceListing
from daftray.entrypoints.service import Entrypoints

RefParameter = Annotated[
    str | None,
    QueryParameter(
        min_length=1, max_length=1000, description="A branch, tag or commit; the project's branch by default."
    ),
]
PathParameter = Annotated[
    str | None,
    QueryParameter(
        min_length=1, max_length=4096, description="A ``.py`` file from the root, or a dotted module name."
    ),
]


@get("/entrypoints", guards=[viewer], summary="List entrypoints")
async def list_entrypoints(
    home: NamedDependency[SkipValidation[Project]],
    entrypoints: NamedDependency[SkipValidation[Entrypoints]],
    ref: RefParameter = None,
    path: PathParameter = None,
) -> SourceListing | EntrypointListing:
    """Return the Python files of a commit; with a path, the callables of that file and their parameters.

    It is read, never imported or executed.
    """
    if path is None:
        return await entrypoints.files(home, ref)
    return await entrypoints.callables(home, ref, path)


router = Router(
    PROJECT,
    route_handlers=[list_entrypoints],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["entrypoints"],
)
