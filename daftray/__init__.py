"""daftray: self-hosted Daft Cloud "Runs" on Ray.

The public names are loaded on first use (PEP 562), so that ``import daftray`` stays cheap in a CLI,
in a notebook and in every worker process of a run:

* :class:`Client`, :class:`AsyncClient`: the SDK;
* :func:`record_usage`, :func:`increment`, :func:`set_result`: what a run's own code reports.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; typing's own costs 10 ms in every process of a run
if TYPE_CHECKING:
    from daftray.client import AsyncClient, Client
    from daftray.runner.report import increment, record_usage, set_result

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "__version__", "increment", "record_usage", "set_result"]

_HOMES = {
    "AsyncClient": "daftray.client",
    "Client": "daftray.client",
    "increment": "daftray.runner.report",
    "record_usage": "daftray.runner.report",
    "set_result": "daftray.runner.report",
}


def __getattr__(name: str) -> object:
    """Import the module that holds a public name, the first time the name is asked for."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 (only when a public name is used)

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
