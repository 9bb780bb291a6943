"""The server's own log: to stderr, for people at a terminal, as JSON lines for machines."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

_KNOWN = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """One JSON object a line, with what the record was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        extra = {key: str(value) for key, value in record.__dict__.items() if key not in _KNOWN}
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extra,
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure(level: str) -> None:
    """Set the process's logging up; called once, by the command."""
    handler = logging.StreamHandler(sys.stderr)
    terminal = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(terminal if sys.stderr.isatty() else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "alembic", "git", "aiosqlite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It tells of each request that was cut off; what fails for another reason is raised as well.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
