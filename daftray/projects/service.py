"""Projects: create, get, list, update, delete."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from daftray.domain.errors import InputIssue, InvalidInputError, SecretNotFoundError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, GitMirrors, GitRepository, ProjectStore
from daftray.domain.project import GitRemote, Project, ProjectPatch, ProjectRequest, ProjectSource
from daftray.projects.github_access import GithubAccess
from daftray.projects.secrets import ProjectSecrets


class Projects:
    """The use cases of projects."""

    def __init__(
        self,
        *,
        store: ProjectStore,
        secrets: ProjectSecrets,
        mirrors: GitMirrors,
        ids: Ids,
        clock: Clock,
        github: GithubAccess | None = None,
    ) -> None:
        self._store = store
        self._github = github
        self._secrets = secrets
        self._mirrors = mirrors
        self._ids = ids
        self._clock = clock

    async def create(self, workspace: str, request: ProjectRequest) -> Project:
        """Make a project. Raises `NameTakenError`, `SourceRefusedError`, `InvalidInputError`."""
        self._check(request.source)
        now = self._clock.now()
        project = Project(
            id=self._ids.new("prj", now),
            workspace=workspace,
            name=request.name,
            source=request.source,
            max_running=request.max_running,
            created_at=now,
        )
        await self._store.add(project)
        return project

    async def get(self, workspace: str, id_or_name: str) -> Project:
        """Return a project. Raises `ProjectNotFoundError`."""
        return await self._store.get(workspace, id_or_name)

    async def by_id(self, project_id: str) -> Project:
        """Return a project, whatever its workspace: for what has been authorised before."""
        return await self._store.by_id(project_id)

    async def list(
        self, workspace: str, *, limit: int, offset: int, only: frozenset[str] | None = None
    ) -> list[Project]:
        """Return projects by name; where ids are given, those among them alone."""
        return await self._store.list(workspace, limit=limit, offset=offset, only=only)

    async def update(self, project: Project, patch: ProjectPatch) -> Project:
        """Change what the patch names. Raises `NameTakenError`, `SourceRefusedError`, `InvalidInputError`."""
        if patch.source is not None:
            self._check(patch.source)
        changed = replace(
            project,
            name=patch.name or project.name,
            source=patch.source or project.source,
            max_running=project.max_running if patch.max_running is UNSET else patch.max_running,
        )
        await self._store.save(changed)
        return changed

    async def delete(self, project: Project) -> None:
        """Remove a project with its runs. Raises `ConflictError` while one of them goes on."""
        await self._store.delete(project.id)

    async def repository(self, project_id: str, remote: str) -> GitRepository:
        """Return a remote as the project may see it: its credential opens its own remote and no other.

        Where it has none, an installation of the GitHub App that its workspace has recorded may have one.

        Raises:
            SecretNotFoundError: the project's source names a secret that is not there.
            SourceUnavailableError: GitHub is to be asked, and does not answer.
            SourceDeniedError: GitHub refuses this server's App.
        """
        project = await self._store.by_id(project_id)
        own = project.source.remote
        if not _same_repository(remote, own):
            return GitRepository(project=project_id, remote=remote)
        if not own.credential:
            token = await self._github.credential(project) if self._github else None
            return GitRepository(project=project_id, remote=remote, credential=token)
        values = await self._secrets.of_project(project_id)
        if own.credential not in values:
            raise SecretNotFoundError(
                f"The project's source is opened by its secret {own.credential}, which is not set: "
                f"`daftray secrets set {own.credential}`."
            )
        return GitRepository(project=project_id, remote=own.remote, credential=values[own.credential])

    def _check(self, source: ProjectSource) -> None:
        if source.github is not None and source.git is not None:
            raise InvalidInputError(
                "The project has two sources.",
                issues=(InputIssue(path="source", message="give exactly one of git and github"),),
            )
        self._mirrors.check(source.remote.remote)


def _same_repository(remote: str, own: GitRemote) -> bool:
    return remote.removesuffix("/").removesuffix(".git") == own.remote.removesuffix("/").removesuffix(".git")
