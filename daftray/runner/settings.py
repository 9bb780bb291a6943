"""What the control plane tells a run's processes, by their environment."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_ID = "DAFTRAY_RUN_ID"
ATTEMPT = "DAFTRAY_ATTEMPT"
REPORT_URL = "DAFTRAY_REPORT_URL"
RUN_TOKEN = "DAFTRAY_RUN_TOKEN"  # noqa: S105 (a variable's name)
HOOKS = "DAFTRAY_HOOKS"
OTLP = "DAFTRAY_OTLP"
"""Set to 1 by a run whose OpenTelemetry exporters are to send to the control plane, too."""

PROCESS = "DAFTRAY_PROCESS"
"""What this process is to its run (see `daftray.runner.process`)."""
DRIVER = "driver"
WORKER = "worker"
CHILD = "child"

HAS_SECRETS = "DAFTRAY_SECRETS"
"""Set where a worker has secrets to fetch: without any, workers need not ask."""
IMPORT_FROM = "DAFTRAY_IMPORT_FROM"
"""A folder below the working directory whose modules the driver imports by their bare names."""
ALIAS = "DAFTRAY_ALIAS"
"""A module's name and its file (see `daftray.runner.alias`)."""
WORKERS_VARIABLES = (HAS_SECRETS, IMPORT_FROM, ALIAS)
"""What the driver hands to workers, where there is anything."""


class RunSettings:
    """Which run this process belongs to, and where it reports.

    Args:
        run_id: the run's id.
        attempt: the number of the attempt, from 1.
        report_url: the control plane's base URL.
        token: the run's own token, good for reporting and nothing else.
        hooks: whether libraries may be instrumented.
    """

    __slots__ = ("attempt", "hooks", "report_url", "run_id", "token")

    def __init__(self, *, run_id: str, attempt: int, report_url: str, token: str, hooks: bool = True) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.report_url = report_url
        self.token = token
        self.hooks = hooks

    def __repr__(self) -> str:
        """Leave the token out: a repr ends up in logs."""
        return f"RunSettings(run_id={self.run_id!r}, attempt={self.attempt}, report_url={self.report_url!r})"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> RunSettings | None:
        """Return the settings, or None in a process that belongs to no run."""
        try:
            return cls(
                run_id=environ[RUN_ID],
                attempt=int(environ[ATTEMPT]),
                report_url=environ[REPORT_URL],
                token=environ[RUN_TOKEN],
                hooks=environ.get(HOOKS, "1") != "0",
            )
        except (KeyError, ValueError):
            return None
