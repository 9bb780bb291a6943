"""Ray's failures as daftray's own: neither httpx's exceptions nor Ray's tracebacks leave this folder.

Ray answers almost every failure with status 500 and a traceback as the text (``job_head.py`` of Ray 2.59),
so what happened has to be read from that text.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

import httpx

from daftray.domain.errors import (
    ClusterError,
    ClusterRefusedError,
    ClusterUnreachableError,
    JobExistsError,
    JobNotFoundError,
)

_UNAVAILABLE = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_HEAD_TROUBLE = re.compile(
    r"RpcError|GcsTimeout|Timed ?out|TimeoutError|UNAVAILABLE|DEADLINE_EXCEEDED|Failed to get head node agent"
    r"|No available agent"
    r"|Cannot connect to host|ServerDisconnected|ClientConnector"
)
"""Words of a traceback that say: a part of the head did not answer another one."""
_LONGEST_REASON = 500


@contextmanager
def translated(url: str) -> Generator[None]:
    """Turn what httpx raises into `ClusterUnreachableError`."""
    try:
        yield
    except httpx.TimeoutException as exc:
        raise ClusterUnreachableError(
            f"The Ray cluster at {url} does not answer in time: is its head alive and not overloaded?"
        ) from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise ClusterUnreachableError(
            f"The Ray cluster at {url} cannot be reached ({type(exc).__name__}): "
            "is the address that of the Ray dashboard, and does its head run?"
        ) from exc


def raise_for(response: httpx.Response, url: str, *, job: str | None = None) -> None:
    """Raise what an answer other than success means; return where it was a success.

    Raises:
        ClusterError: one of its kinds.
    """
    if response.is_success:
        return
    raise _error(response, url, job)


def _error(response: httpx.Response, url: str, job: str | None) -> ClusterError:
    status, text = response.status_code, response.text
    if status in _DENIED:
        return ClusterRefusedError(
            f"The Ray cluster at {url} refuses the token: give the cluster's token by DAFTRAY_RAY_TOKEN."
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return ClusterRefusedError(
            f"The Ray cluster at {url} takes no package of this size: Ray's own limit is 100 MiB."
        )
    if job is not None and (status == HTTPStatus.NOT_FOUND or "does not exist" in text):
        return JobNotFoundError(f"The Ray cluster at {url} knows no job {job}.")
    if job is not None and "already exists" in text:
        return JobExistsError(f"The Ray cluster at {url} already has a job {job}.")
    # Ray's own refusals are tracebacks: what is none comes from something between it and us.
    troubled = _HEAD_TROUBLE.search(text) or "Traceback" not in text
    if status in _UNAVAILABLE or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and troubled):
        return ClusterUnreachableError(
            f"The head of the Ray cluster at {url} is in trouble (HTTP {status}: {_reason(text)}): try again."
        )
    return ClusterRefusedError(f"The Ray cluster at {url} refused (HTTP {status}): {_reason(text)}")


def _reason(text: str) -> str:
    """Return the last line of a traceback, which is what went wrong."""
    # Where an agent's traceback is quoted in the head's, a full stop stands alone on the last line.
    lines = [line.strip() for line in text.splitlines() if line.strip(" .")]
    return lines[-1][:_LONGEST_REASON] if lines else "it gave no reason"
