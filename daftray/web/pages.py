"""Makes pages of templates. All text that comes from elsewhere is escaped, always."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import jinja2
from litestar import Response
from litestar.enums import MediaType

from daftray.api.auth import AnyRequest
from daftray.api.authentication import Credentials
from daftray.domain.ports import Clock
from daftray.domain.principal import Principal
from daftray.identity.access import Place
from daftray.web import texts
from daftray.web.assets import Assets
from daftray.web.headers import PAGE_HEADERS

FOLDER = Path(__file__).parent / "templates"


class Pages:
    """The templates. ``openid`` is what the button for OpenID says, where people can sign in so."""

    def __init__(self, *, assets: Assets, clock: Clock, openid: str | None = None) -> None:
        self._clock = clock
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters.update(texts.FILTERS)
        self._frame: dict[str, object] = {"asset": assets.url, "openid": openid}

    def text(self, request: AnyRequest, template: str, /, **shown: Any) -> str:  # a template takes anything
        """Return a page's text, with who is signed in, and where they are, for its frame."""
        scope = cast("dict[str, Any]", request.scope)
        user, auth = scope.get("user"), scope.get("auth")
        place = request.state.get("place")
        frame = {
            "me": user if isinstance(user, Principal) else None,
            "csrf": auth.session.csrf_token if isinstance(auth, Credentials) and auth.session else None,
            "place": place if isinstance(place, Place) else None,
            "now": self._clock.now(),
            "path": request.url.path,
        }
        return self._templates.get_template(template).render({**self._frame, **frame, **shown})

    def page(
        self, request: AnyRequest, template: str, /, *, status: int = 200, **shown: Any
    ) -> Response[str]:  # the same
        """Return a page, with the headers of pages."""
        text = self.text(request, template, **shown)
        return Response(text, media_type=MediaType.HTML, status_code=status, headers=dict(PAGE_HEADERS))
