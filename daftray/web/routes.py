"""Every route of the pages."""

from __future__ import annotations

from litestar import Router

from daftray.web import (
    assets,
    devices,
    home,
    new_run,
    run_actions,
    run_again,
    run_page,
    run_problems,
    runs,
    sign_in,
    task_start,
    tasks,
)

ROUTERS: list[Router] = [
    assets.router,
    sign_in.router,
    devices.router,
    home.router,
    runs.router,
    run_page.router,
    run_problems.router,
    run_actions.router,
    run_again.router,
    tasks.router,
    task_start.router,
    new_run.router,
]
"""In the order of a visit."""
