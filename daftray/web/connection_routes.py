"""The routes of data sources and of catalogs: the same handlers, each with its own paths and audit codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from litestar import Router, get, post
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import AnyCallable

from daftray.api.audit import AUDIT
from daftray.api.auth import Connection, admin, runner, viewer
from daftray.api.authentication import CSRF_IN_FORM
from daftray.web import connection_edit, connections
from daftray.web.connection_sorts import CATALOGS, DATA_SOURCES, OF_A_SORT, Sort
from daftray.web.places import PROJECT

_LARGEST = 1024 * 1024
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def _router_of(sort: Sort) -> Router:
    word = sort.sort.value
    one = f"/{{{word}:str}}"

    def shown(path: str, guard: Guard, handler: AnyCallable) -> HTTPRouteHandler:
        return get(path, guards=[guard], include_in_schema=False)(handler)

    def done(path: str, action: str, guard: Guard, handler: AnyCallable) -> HTTPRouteHandler:
        options: dict[str, Any] = {CSRF_IN_FORM: True, AUDIT: f"{word}.{action}"}  # as Litestar has them
        return post(
            path,
            guards=[guard],
            opt=options,
            include_in_schema=False,
            request_max_body_size=_LARGEST,
            status_code=HTTPStatus.SEE_OTHER,
        )(handler)

    def give_sort() -> Sort:
        return sort

    return Router(
        f"{PROJECT}/{sort.folder}",
        route_handlers=[
            shown("/", viewer, connections.list_connections),
            shown("/new", admin, connection_edit.show_new),
            shown(one, viewer, connections.show_connection),
            shown(f"{one}/edit", admin, connection_edit.show_edit),
            done("/", "create", admin, connection_edit.create_connection),
            done(one, "replace", admin, connection_edit.replace_connection),
            done(f"{one}/delete", "delete", admin, connections.delete_connection),
            done(f"{one}/check", "check", runner, connections.start_check),
        ],
        dependencies={
            **OF_A_SORT,
            "last_check": Provide(connections.provide_last_check),
            "sort": Provide(give_sort, sync_to_thread=False),
        },
    )


ROUTERS = [_router_of(DATA_SOURCES), _router_of(CATALOGS)]
