"""The Litestar application over the wired services."""

from __future__ import annotations

from collections.abc import Callable

from litestar import Litestar
from litestar.datastructures import ResponseHeader, State
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig

import daftray
from daftray.api import (
    admin,
    api_keys,
    apps,
    audit_log,
    auth_devices,
    auth_login,
    auth_openid,
    auth_tokens,
    bulk,
    catalogs,
    data_sources,
    entrypoints,
    github_hooks,
    health,
    ingest,
    integrations,
    logs,
    members,
    metrics_socket,
    metrics_tail,
    outcomes,
    prices,
    problems,
    projects,
    prometheus,
    ray_events,
    run_problems,
    runs,
    secrets,
    tasks,
    users,
    workspaces,
)
from daftray.api.audit import Auditing
from daftray.api.authentication import Authenticator, CallerAuthentication
from daftray.api.documented import WholeDocument, document_problems
from daftray.api.headers import SAFE_HEADERS
from daftray.api.scope import provide_caller
from daftray.domain.errors import DaftrayError
from daftray.server.services import Services
from daftray.web.assets import Assets
from daftray.web.errors import for_browsers
from daftray.web.pages import Pages
from daftray.web.routes import ROUTERS

LARGEST_BODY = 10 * 1024 * 1024


def create_app(services: Services) -> Litestar:
    """Return the application. Its lifespan owns nothing: whoever wired the services opens and closes them."""
    sign_in, assets = services.people.sign_in, Assets.packaged()
    button = "Sign in with OpenID" if services.people.openid else None
    pages = Pages(assets=assets, clock=services.clock, openid=button)
    authenticator = Authenticator(
        identity=services.people.identity, sessions=sign_in.sessions, public_url=services.public_url
    )
    provided = {
        "authenticator": authenticator,
        "access_tokens": sign_in.access_tokens,
        "token_families": sign_in.families,
        "device_flow": sign_in.devices,
        "browser_sessions": sign_in.sessions,
        "password_sign_in": sign_in.password,
        "openid_sign_in": services.people.openid,
        "key_sign_in": sign_in.key,
        "throttle": sign_in.throttle,
        "projects": services.projects,
        # Not `secrets` or `runs`: Litestar takes an error at a body's field for one of a dependency of that
        # name, and so for a defect of ours.
        "project_secrets": services.secrets,
        "connections": services.connections,
        "checks": services.checks,
        "run_service": services.runs,
        "run_finder": services.run_finder,
        "task_service": services.tasks,
        "entrypoints": services.entrypoints,
        "integrations": services.integrations,
        "github_hooks": services.github_hooks,
        "reporting": services.reporting,
        "outcomes": services.outcomes,
        "prices": services.prices,
        "exposition": services.exposition,
        "run_problems": services.run_problems,
        "problem_ingest": services.problem_ingest,
        "clusters": services.clusters,
        "source_files": services.source_files,
        "usage": services.usage,
        "archive": services.archive,
        "follower": services.follower,
        "metrics_follower": services.metrics_follower,
        "reservations": services.reservations,
        "all_workspaces": services.people.workspaces,
        "members": services.people.members,
        "users": services.people.users,
        "issued_keys": services.people.issued_keys,
        "audit_log": services.people.audit,
        "names": services.people.names,
        "clock": services.clock,
        "database": services.database,
        "rayjobs": services.rayjobs,
        "retention": services.retention,
        "assets": assets,
        "pages": pages,
    }
    app = Litestar(
        route_handlers=[
            health.router,
            prometheus.router(open_to_all=services.metrics_open),
            admin.router,
            workspaces.router,
            members.router,
            users.router,
            api_keys.router,
            audit_log.router,
            auth_tokens.router,
            auth_login.router,
            auth_openid.router,
            auth_devices.router,
            projects.router,
            secrets.router,
            data_sources.router,
            catalogs.router,
            prices.router,
            runs.router,
            tasks.router,
            apps.router,
            entrypoints.router,
            integrations.router,
            github_hooks.router,
            bulk.router,
            outcomes.router,
            metrics_tail.router,
            metrics_socket.router,
            run_problems.router,
            logs.router,
            ingest.router,
            ray_events.router(services.ray_events_secret),
            *ROUTERS,
        ],
        dependencies={
            "caller": Provide(provide_caller),
            **{name: Provide(_giver(value), sync_to_thread=False) for name, value in provided.items()},
        },
        state=State({"access": services.people.access, "pages": pages}),
        middleware=[
            DefineMiddleware(CallerAuthentication, authenticator=authenticator),
            DefineMiddleware(Auditing, log=services.people.audit),
        ],
        exception_handlers={
            DaftrayError: for_browsers(problems.on_daftray_error),
            ValidationException: for_browsers(problems.on_validation_error),
            HTTPException: for_browsers(problems.on_http_error),
            RecursionError: for_browsers(problems.on_too_deep),
            Exception: for_browsers(problems.on_unexpected_error),
        },
        response_headers=[ResponseHeader(name=name, value=value) for name, value in SAFE_HEADERS.items()],
        request_max_body_size=LARGEST_BODY,
        openapi_config=OpenAPIConfig(
            title="daftray",
            version=daftray.__version__,
            path="/schema",
            render_plugins=[WholeDocument(path="/openapi.json")],
        ),
        logging_config=None,
    )
    document_problems(app)
    return app


def _giver(value: object) -> Callable[[], object]:
    """Return a function that gives that value: what a dependency is to Litestar."""

    def give() -> object:
        return value

    return give
