"""Lets OpenTelemetry exporters in this process send their metrics where the runner sends its own.

Daft's own exporter and OpenTelemetry's SDKs read these variables when they start. ``DAFTRAY_OTLP=1`` among a
run's environment variables switches it on; what the run sets itself stays as it is.
"""

from __future__ import annotations

import os

from daftray.runner.settings import OTLP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from daftray.runner.settings import RunSettings

_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"


def switch_on(environ: MutableMapping[str, str], settings: RunSettings) -> None:
    """Set the variables, where the run asks for it, ahead of any of the user's code."""
    if environ.get(OTLP) != "1":
        return
    endpoint = f"{settings.report_url.rstrip('/')}/v1/ingest/otlp/v1/metrics"
    if environ.setdefault("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint) != endpoint:
        return  # a collector of the run's own, which has no business with the token
    variables = {
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS": f"authorization=Bearer%20{settings.token}",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
        # Daft knows no other name of it.
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        # A cumulative count may come twice, late or never: the next one says it all.
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative",
    }
    for name, value in variables.items():
        environ.setdefault(name, value)
    # A process inherits its parent's, and is another one.
    who = f"host.name={os.uname().nodename},process.pid={os.getpid()}"
    known = environ.get(_RESOURCE, "")
    others = [
        part for part in known.split(",") if part and not part.startswith(("host.name=", "process.pid="))
    ]
    environ[_RESOURCE] = ",".join([*others, who])
