"""What this process is to its run, and what is switched on in it.

* ``driver``: runs the user's entrypoint; `daftray.runner.driver` starts it.
* ``worker``: a Ray worker process of the run's job: Daft's Swordfish and UDF actors, plain tasks and actors.
* ``child``: any Python process below one of those, such as Daft's UDF subprocesses.

How a worker knows: Ray gives the job's runtime environment to the job's supervisor and, through it, to
the driver, so a variable of the *job* would be seen by all of them. The driver's boot adds
``DAFTRAY_PROCESS=worker`` to the runtime environment inside ``RAY_JOB_CONFIG_JSON_ENV_VAR``, from which
``ray.init`` takes what the job's *workers* get (merging what the user's own ``ray.init`` asks for). The
supervisor started before that, Ray's I/O workers and agents have no job's environment, and so only
workers of this job see it. Each such process then says ``child`` to the processes that it starts.
"""

from __future__ import annotations

import atexit
import os
import sys
from _thread import RLock  # see counters.py

from daftray.runner import instrument, package, report
from daftray.runner.counters import Counters
from daftray.runner.settings import CHILD, DRIVER, OTLP, PROCESS, WORKER, WORKERS_VARIABLES, RunSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from daftray.runner.exporter import Exporter
    from daftray.runner.identity import Identity
    from daftray.runner.problems import Problems

_DRIVER_FLUSH_S = 3.0


class Reporter:
    """Everything of the runner that lives in one process of a run.

    What sends is made when there is something to send: most processes below a worker never have.
    """

    def __init__(self, kind: str, settings: RunSettings) -> None:
        self.kind = kind
        self._settings = settings
        self._exporter: Exporter | None = None
        self._identity: Identity | None = None
        self._problems: Problems | None = None
        self._root = _current_folder()
        self._making = RLock()
        self.counters = Counters(self._counted)

    def problems(self) -> Problems:
        """Return what counts this process's exceptions, made at the first of them."""
        from daftray.runner.outbox import Outbox
        from daftray.runner.problems import Problems

        with self._making:
            if self._problems is None:
                exporter = self._exporter or self._make_exporter()
                process = self._known_identity().process
                self._problems = Problems(process, self._root, exporter.wake)
                exporter.outbox = Outbox(self._problems)
            return self._problems

    def start(self) -> None:
        """Report CPU from now on, where this process does."""
        if self.kind != CHILD:
            self._make_exporter().start()

    def close(self) -> None:
        """Send what is left, and nothing after that."""
        self.flush()
        self.end()

    def flush(self, give_up_after_s: float | None = None) -> bool:
        """Send what is left; return whether it was delivered. The driver tries longer: it lives longer."""
        if give_up_after_s is None:
            give_up_after_s = _DRIVER_FLUSH_S if self.kind == DRIVER else 0.0
        return self._exporter is None or self._exporter.flush(give_up_after_s)

    def flush_now(self) -> None:
        """Send what is left, unless the control plane is away or wants fewer reports."""
        if self._exporter is not None:
            self._exporter.flush_now()

    def asked_s(self) -> float:
        """Return how long the run's processes gather between two reports at present."""
        return 0.0 if self._exporter is None else self._exporter.asked_s()

    def end(self) -> None:
        """Send no more."""
        if self._exporter is not None:
            self._exporter.end()

    def forking(self) -> None:
        """Have no thread while the process forks."""
        if self._exporter is not None:
            self._exporter.pause()

    def has_forked(self) -> None:
        """Go on in the parent."""
        if self._exporter is not None:
            self._exporter.resume()

    def forked(self) -> None:
        """Begin anew in a forked child: its own identity, nothing counted, no thread, no CPU of its own."""
        self.kind = CHILD
        self._exporter = None
        self._identity = None
        self._problems = None
        self._making = RLock()
        self.counters.reset()

    def _counted(self) -> None:
        (self._exporter or self._make_exporter()).wake()

    def _make_exporter(self) -> Exporter:
        from daftray.runner.exporter import Exporter

        # Two threads may count first at once: two exporters would be two processes to the server.
        with self._making:
            if self._exporter is None:
                reports_cpu = self.kind != CHILD
                identity = self._known_identity()
                self._exporter = Exporter(self._settings, self.counters, identity, reports_cpu=reports_cpu)
            return self._exporter

    def _known_identity(self) -> Identity:
        from daftray.runner.identity import Identity

        if self._identity is None:
            self._identity = Identity()
        return self._identity


def _current_folder() -> str:
    """Return where the process starts, from which the user's files are named."""
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return os.sep


def start(kind: str, settings: RunSettings, *, path: Iterable[str]) -> Reporter:
    """Switch reporting on in this process. ``path`` is where the user's code imports from."""
    reporter = Reporter(kind, settings)
    report.use(reporter.counters, reporter)
    package.join_installed(path)
    os.environ[PROCESS] = CHILD
    if OTLP in os.environ:
        from daftray.runner import otel

        otel.switch_on(os.environ, settings)
    os.register_at_fork(
        before=reporter.forking, after_in_parent=reporter.has_forked, after_in_child=reporter.forked
    )
    if kind != DRIVER:  # whose last word closes it
        atexit.register(reporter.close)
    if settings.hooks:
        instrument.install()
    reporter.start()
    return reporter


def join(kind: str, environ: MutableMapping[str, str]) -> None:
    """Start in a process that was started for the run; ``sitecustomize`` calls it ahead of any user code."""
    settings = RunSettings.read(environ)
    if settings is None:
        return
    if any(name in environ for name in WORKERS_VARIABLES):
        from daftray.runner import workers

        if kind == WORKER:
            workers.fetch_secrets(environ, settings)
        workers.follow(environ)
    start(kind, settings, path=sys.path)
