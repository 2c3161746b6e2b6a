"""The log: one event a line, as JSON, with the call and the plan that it is about.

Of what callers send there are names in it, no contents and no tokens.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from contextvars import ContextVar
from typing import IO, Any, Final

from optimizer.errors import InvalidInputError

LEVELS: Final = ("debug", "info", "warning", "error")
REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Of the call that is being answered; every line written meanwhile carries it."""
_FIELDS: Final = "event_fields"


def tell(logger: logging.Logger, level: int, event: str, **fields: Any) -> None:
    """Write an event with its fields."""
    logger.log(level, event, extra={_FIELDS: fields})


class JsonLines(logging.Formatter):
    """A record as an object on one line: time (UTC), level, event, its fields, and a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        line |= getattr(record, _FIELDS, {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def write_logs(level: str, target: IO[str] | None = None) -> None:
    """Write events of this package from ``level`` on, and warnings of others, to ``target``, by default standard error.

    Raises:
        InvalidInputError: there is no such level.
    """
    if level not in LEVELS:
        raise InvalidInputError.single("log_level", f"{level!r} is no level", f"write {', '.join(LEVELS)}", "server")
    handler = logging.StreamHandler(target or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("optimizer").setLevel(level.upper())
