"""Every route of the pages."""

from __future__ import annotations

from litestar import Router

from daftray.web import assets, devices, home, runs, sign_in

ROUTERS: list[Router] = [assets.router, sign_in.router, devices.router, home.router, runs.router]
"""In the order of a visit."""
