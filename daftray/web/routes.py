"""Every route of the pages."""

from __future__ import annotations

from litestar import Router

from daftray.web import assets

ROUTERS: list[Router] = [assets.router]
"""In the order of a visit."""
