"""The Python version that a run asks for, against the one that its cluster has.

Ray runs a job's driver and workers on the cluster's own interpreter; a driver of another minor version
fails only once the job has started, so it is refused before.
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from daftray.domain.errors import InputIssue, InvalidInputError, PythonVersionError

PATH = "environment.python_version"
_EXACT = re.compile(
    r"(?:c?python[ -]?)?(\d{1,2}\.\d{1,3})(?:\.\d{1,3}|\.\*)?(?:(?:a|b|rc)\d+)?\+?(?:\s.*)?",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 500


def parse(requested: str) -> SpecifierSet:
    """Return which interpreters a text asks for; an empty one asks for any.

    It is a version (``3.12``, ``3.12.1``), of which the minor counts; a whole ``sys.version`` text, which
    starts with one; or a range as in ``requires-python`` (``>=3.11,<3.13``), which counts as it stands.

    Raises:
        InvalidInputError: it is none of these.
    """
    text = requested.strip()
    if not text:
        return SpecifierSet(prereleases=True)
    if len(text) <= _LONGEST:
        try:
            if text[0] in "<>=!~":
                return SpecifierSet(text, prereleases=True)
            if found := _EXACT.fullmatch(text):
                return SpecifierSet(f"=={found[1]}.*", prereleases=True)
        except InvalidSpecifier:
            pass  # refused below, in one place
    message = f"{text[:40]!r} is no Python version: give one such as 3.12, or none to take the cluster's"
    raise InvalidInputError(message, issues=(InputIssue(path=PATH, message=message),))


def check(requested: str, available: str) -> None:
    """Refuse a run that asks for another Python than its cluster has.

    Raises:
        PythonVersionError: the cluster has another one; the text says which.
        InvalidInputError: the text asked for is no version.
    """
    wanted = parse(requested)
    version = Version(available.split(maxsplit=1)[0].rstrip("+"))
    if wanted.contains(version):
        return
    minor = f"{version.major}.{version.minor}"
    message = (
        f"The run asks for Python {requested.strip().split(maxsplit=1)[0]}, which its cluster does not have. "
        f"Available: {minor} ({available.split(maxsplit=1)[0]}). Ask for {minor}, leave python_version empty "
        "to take what is there, or use a cluster with that Python."
    )
    raise PythonVersionError(message, issues=(InputIssue(path=PATH, message=f"available: {minor}"),))
