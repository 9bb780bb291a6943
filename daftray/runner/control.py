"""What a run says to the control plane, and how patiently."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

from daftray.runner.http import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from daftray.runner.settings import RunSettings

REQUEST_TIMEOUT_S = 10.0
CONNECTIONS_TIMEOUT_S = 30.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
_LONGEST_DETAIL = 500
_TRY_AGAIN = frozenset({408, 425, 429})
_NO_SUCCESS = 300
_SERVER_ERROR = 500
_BAD_GATEWAY = 502


class ControlPlaneError(Exception):
    """The control plane did not take a report. ``status`` is None where nothing answered.

    ``retryable`` says whether the same request can succeed later.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        """Whether the same request can succeed later."""
        return self.status is None or self.status in _TRY_AGAIN or self.status >= _SERVER_ERROR


class ControlPlane:
    """Speaks for one run, with the run's own token."""

    def __init__(self, settings: RunSettings) -> None:
        url = urlsplit(settings.report_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError(f"DAFTRAY_REPORT_URL is no http(s) URL: {settings.report_url!r}")
        self._server = Server(url.hostname, url.port, secure=url.scheme == "https")
        self._prefix = url.path.rstrip("/")
        self._token = settings.token
        self._run = f"/v1/ingest/runs/{settings.run_id}"
        self._attempt = settings.attempt
        self.address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"

    def started(
        self, report: dict[str, object], *, give_up_after_s: float, waiting: Callable[[str], None]
    ) -> object:
        """Say that the driver is there. The answer tells what to run, and holds the secrets."""
        return self._until(
            give_up_after_s, lambda: self._send_json("POST", f"{self._run}/started", report), waiting
        )

    def secrets(self, *, give_up_after_s: float) -> object:
        """Return the run's secrets by name, for a worker process."""
        path = f"{self._run}/secrets?attempt={self._attempt}"
        return self._until(give_up_after_s, lambda: self._send("GET", path))

    def connections(self) -> object:
        """Return the project's data sources and catalogs, without a credential."""
        return self._until(CONNECTIONS_TIMEOUT_S, lambda: self._send("GET", f"{self._run}/connections"))

    def result_data(self, data: BinaryIO, size: int, *, give_up_after_s: float) -> None:
        """Store the bytes of a result, ahead of the result itself."""
        path = f"{self._run}/result/data?attempt={self._attempt}"

        def put() -> None:
            data.seek(0)
            self._send("PUT", path, data, size=size, content_type="application/octet-stream", timeout_s=60)

        self._until(give_up_after_s, put)

    def result(self, result: dict[str, object], *, give_up_after_s: float) -> None:
        """Report what the run returned."""
        self._until(give_up_after_s, lambda: self._send_json("POST", f"{self._run}/result", result))

    def finished(self, report: dict[str, object], *, give_up_after_s: float) -> None:
        """Report how the user's code ended. The last word of a run."""
        self._until(give_up_after_s, lambda: self._send_json("POST", f"{self._run}/finished", report))

    def metrics(self, body: bytes, *, timeout_s: float) -> float | None:
        """Send counters once. Returns the seconds that the server asks to wait before the next."""
        return self._exchange("POST", "/v1/ingest/otlp/v1/metrics", body, timeout_s=timeout_s)[1]

    def logs(self, body: bytes, *, timeout_s: float) -> float | None:
        """Send problems once. Returns the seconds that the server asks to wait before the next."""
        return self._exchange("POST", "/v1/ingest/otlp/v1/logs", body, timeout_s=timeout_s)[1]

    def _until(
        self, give_up_after_s: float, send: Callable[[], object], waiting: Callable[[str], None] | None = None
    ) -> object:
        """Send until it succeeds, is refused, or time is up; ``waiting`` hears of the first failure."""
        deadline = time.monotonic() + give_up_after_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return send()
            except ControlPlaneError as error:
                left_s = deadline - time.monotonic()
                if not error.retryable or left_s <= 0:
                    raise
                if waiting is not None:
                    waiting(str(error))
                    waiting = None
                time.sleep(min(max(pause_s, error.retry_after_s or 0), left_s))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _send_json(self, method: str, path: str, value: object) -> object:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        # Half a surrogate pair, as in a file's name that is no UTF-8, would make the server refuse it all.
        return self._send(method, path, text.encode(errors="replace"))

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None = None,
        *,
        size: int | None = None,
        content_type: str = "application/json",
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> object:
        """Send once. Returns what the answer's JSON says, None where it is empty."""
        answer = self._exchange(
            method, path, body, size=size, content_type=content_type, timeout_s=timeout_s
        )[0]
        try:
            return json.loads(answer) if answer else None
        except ValueError as error:
            raise ControlPlaneError(
                f"{self.address} answered {method} {path} with no JSON", status=_BAD_GATEWAY
            ) from error

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None = None,
        *,
        size: int | None = None,
        content_type: str = "application/json",
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> tuple[bytes, float | None]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        if size is not None:
            headers["Content-Length"] = str(size)
        try:
            answer = self._server.exchange(method, self._prefix + path, headers, body, timeout_s)
        except OSError as error:
            reason = str(error) or type(error).__name__
            raise ControlPlaneError(
                f"no answer from the control plane at {self.address} ({reason})"
            ) from error
        retry_after_s = _seconds(answer.retry_after)
        if answer.status >= _NO_SUCCESS:
            message = f"the control plane at {self.address} answered {answer.status}{_detail(answer.body)}"
            raise ControlPlaneError(message, status=answer.status, retry_after_s=retry_after_s)
        return answer.body, retry_after_s


def _seconds(text: str | None) -> float | None:
    """Return a Retry-After in seconds; its other form, a date, is not worth a parser here."""
    return float(text) if text is not None and text.isdigit() else None


def _detail(answer: bytes) -> str:
    """Return what a problem document (RFC 9457) says, as an ending of a sentence."""
    try:
        problem = json.loads(answer)
        detail = problem.get("detail") or problem.get("title")
    except (ValueError, AttributeError):
        return ""
    return f": {str(detail)[:_LONGEST_DETAIL]}" if detail else ""
