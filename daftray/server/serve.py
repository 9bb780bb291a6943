"""The server's life: own the data folder, start Ray, wire, serve, and leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.errors import DaftrayError
from daftray.domain.ports import Clock, RayJobs
from daftray.domain.principal import Role
from daftray.domain.project import DEFAULT_WORKSPACE
from daftray.server.app import create_app
from daftray.server.clock import DatabaseClock
from daftray.server.data_dir import ADMIN_KEY, DataDir
from daftray.server.garbage import spare_what_is_there
from daftray.server.key_sources import key_ring
from daftray.server.local_ray import LocalRay
from daftray.server.no_cluster import NoCluster
from daftray.server.services import Services
from daftray.server.settings import ServerSettings
from daftray.server.wiring import build

CONNECTIONS_END_WITHIN_S = 2
"""After SIGTERM. Streams are told to end at once; this is for clients that do not read."""
_BACKLOG = 2048


@dataclass(frozen=True, kw_only=True)
class Started:
    """What is known once the server answers. ``admin_key`` is the file that holds the key."""

    url: str
    admin_key: Path
    ray: str


class PortTakenError(DaftrayError):
    """The port is taken."""

    code = "port-taken"


class StoppedError(DaftrayError):
    """The server was told to stop before it had started."""

    code = "stopped"


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: its own way with them ends the process before we have."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


async def serve(settings: ServerSettings, *, on_started: Callable[[Started], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        DataDirBusyError: another server has the data folder.
        PortTakenError: something else listens on the port.
        MasterKeyError: the master key cannot be had.
        MasterKeyMismatchError: the database's secrets are sealed under another one.
        DaftrayError: Ray or the database cannot be had; it says why.
    """
    folder = DataDir(settings.data_dir)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with folder.owned(), _listening(settings.host, settings.port) as listener:
        url = _address(settings, listener)
        ring = await asyncio.to_thread(key_ring, settings, folder)
        async with _cluster(settings, stopping) as (rayjobs, cluster):
            services = build(
                settings,
                ring=ring,
                rayjobs=rayjobs,
                cluster=cluster,
                report_url=settings.public_url or url,
                stopping=stopping,
            )
            async with _opened(services, folder, stopping):
                folder.write_address(url)
                try:
                    on_started(Started(url=url, admin_key=folder.path / ADMIN_KEY, ray=settings.ray))
                    await _listen(services, listener, stopping)
                finally:
                    folder.forget_address()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG, reuse_port=False)
    except OSError as exc:
        raise PortTakenError(
            f"daftray cannot listen on {host}:{port} ({exc.strerror}): choose another --port."
        ) from exc
    with listener:
        listener.setblocking(False)
        # Connections inherit it. Without it the kernel holds the second half of an answer back for 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def _address(settings: ServerSettings, listener: socket.socket) -> str:
    return f"http://{settings.host}:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def _cluster(
    settings: ServerSettings, stopping: asyncio.Event
) -> AsyncGenerator[tuple[RayJobs, str], None]:
    """Give the cluster's job interface and its name; the embedded one starts and ends here."""
    if settings.ray == "none":
        yield NoCluster(), "none"
        return
    if settings.ray != "local":
        token = settings.ray_token.get_secret_value() if settings.ray_token else None
        async with RayJobsClient(settings.ray, token=token) as client:
            yield client, "default"
        return
    ray = LocalRay(data_dir=settings.data_dir, keep=settings.keep_ray)
    starting = asyncio.create_task(ray.start())
    ending = asyncio.create_task(_stop_with(ray, starting, stopping))
    try:
        try:
            local = await starting
        except asyncio.CancelledError as exc:
            raise StoppedError from exc
        async with RayJobsClient(local.url, token=local.token) as client:
            yield client, "local"
    finally:
        stopping.set()
        await ending


async def _stop_with(ray: LocalRay, starting: asyncio.Task[object], stopping: asyncio.Event) -> None:
    """Watch over the embedded Ray, and end it while the connections end, not after them."""
    await _either(starting, stopping)
    watch = asyncio.create_task(ray.watch())
    await stopping.wait()
    for task in (starting, watch):
        task.cancel()
    await asyncio.gather(starting, watch, return_exceptions=True)
    await ray.stop()


@contextlib.asynccontextmanager
async def _opened(services: Services, folder: DataDir, stopping: asyncio.Event) -> AsyncGenerator[None, None]:
    """Open the database, make the first key, and drive runs for as long as the server is there."""
    await services.database.open()
    try:
        await services.blobs.open()
        await services.database.migrate()
        await services.master_keys.check()
        comparing = await _comparing(services.clock)
        await _first_key(services, folder)
        listening = asyncio.create_task(services.replicas.serve())
        driving = asyncio.create_task(_until(services.reconciler.serve(), stopping))
        tidying = asyncio.gather(
            _until(services.retention.serve(), stopping), _until(services.janitor.serve(), stopping)
        )
        try:
            yield
        finally:
            stopping.set()
            await services.mirrors.close()
            await services.github_hooks.refreshes.close()
            await asyncio.gather(driving, tidying)
            comparing.cancel()
            listening.cancel()  # not before: other servers are told of the runs that this one gives back
            await asyncio.gather(listening, comparing, return_exceptions=True)
            await services.usage.close()
            await services.problem_ingest.close()
    finally:
        await services.database.close()


async def _comparing(clock: Clock) -> asyncio.Task[None]:
    """Go by the database's time from now on."""
    if not isinstance(clock, DatabaseClock):
        return asyncio.create_task(asyncio.sleep(0))
    await clock.compare()
    return asyncio.create_task(clock.serve())


async def _first_key(services: Services, folder: DataDir) -> None:
    """Make the admin's key where there is none, or where the database does not know it (a new one)."""
    key = folder.admin_key()
    if key is not None:
        with contextlib.suppress(DaftrayError):
            await services.people.api_keys.authenticate(key)
            return
    key = await services.people.api_keys.create(
        name="admin", workspace=DEFAULT_WORKSPACE, role=Role.ADMIN, operator=True
    )
    folder.write_admin_key(key)


async def _until(work: Coroutine[None, None, None], stopping: asyncio.Event) -> None:
    """Run a task until the server stops; a task that ends by itself is a defect, and is raised."""
    task = asyncio.create_task(work)
    await _either(task, stopping)
    if task.done():
        stopping.set()
        task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _either(task: asyncio.Task[Any], stopping: asyncio.Event) -> None:
    """Wait until a task is done (whatever it returns) or the server is told to stop."""
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()


async def _listen(services: Services, listener: socket.socket, stopping: asyncio.Event) -> None:
    app = create_app(services)
    spare_what_is_there()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=CONNECTIONS_END_WITHIN_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await _either(serving, stopping)
    server.should_exit = True
    await serving
