"""The files that pages bring: styles, modules, pictures, under addresses that change with their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from litestar import Response, Router, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import ANONYMOUS
from daftray.domain.errors import NotFoundError
from daftray.web.headers import ASSET_HEADERS, KEEP

FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """Files, held in memory. ``version`` is a digest of them all.

    One digest for all of them lets a module import its neighbour by a relative path, without a build step.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        whole = hashlib.sha256()
        for name in sorted(self._files):
            whole.update(name.encode() + b"\0" + hashlib.sha256(self._files[name]).digest())
        self.version = whole.hexdigest()[:16]

    @classmethod
    def packaged(cls) -> Assets:
        """Read the files that come with daftray."""
        found = [path for path in FOLDER.rglob("*") if path.suffix in _MEDIA_TYPES]
        return cls({path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in found})

    def url(self, name: str) -> str:
        """Return the address of a file. Raises `KeyError` for one that is not there: a template is wrong."""
        _ = self._files[name]
        return f"/static/{self.version}/{name}"

    def answer(self, version: str, name: str) -> Response[bytes]:
        """Return a file's answer; an older page's address gets the file of today, to be asked for again.

        Raises:
            NotFoundError: there is no such file.
        """
        data = self._files.get(name)
        if data is None:
            raise NotFoundError
        headers = {"Cache-Control": KEEP} if version == self.version else {}
        return Response(data, media_type=_MEDIA_TYPES[PurePosixPath(name).suffix], headers=headers)


@get("/{version:str}/{name:path}", opt={ANONYMOUS: True}, include_in_schema=False)
async def get_asset(
    version: FromPath[str], name: FromPath[str], assets: NamedDependency[SkipValidation[Assets]]
) -> Response[bytes]:
    """Return a file."""
    return assets.answer(version, name.removeprefix("/"))


router = Router(
    "/static",
    route_handlers=[get_asset],
    response_headers=[ResponseHeader(name=name, value=value) for name, value in ASSET_HEADERS.items()],
)
