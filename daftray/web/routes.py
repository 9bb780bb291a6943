"""Every route of the pages."""

from __future__ import annotations

from litestar import Router

from daftray.web import (
    api_keys,
    assets,
    audit_log,
    clusters,
    compare,
    connection_routes,
    devices,
    home,
    members,
    new_project,
    new_run,
    project_settings,
    run_actions,
    run_again,
    run_log,
    run_page,
    run_problems,
    runs,
    secrets,
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
    run_log.router,
    run_problems.router,
    run_actions.router,
    compare.router,
    run_again.router,
    tasks.router,
    task_start.router,
    new_run.router,
    members.router,
    api_keys.router,
    audit_log.router,
    clusters.router,
    secrets.router,
    *connection_routes.ROUTERS,
    project_settings.router,
    new_project.router,
]
"""In the order of a visit."""
