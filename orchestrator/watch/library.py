"""The bridge from the standard library's logging, where aiohttp, asyncio and warnings speak, to our log."""

from __future__ import annotations

import logging
from collections.abc import Callable

from orchestrator.watch.names import Level
from orchestrator.watch.records import Fields


class LibraryHandler(logging.Handler):
    """Hands every warning or worse of any library to `take`; formats nothing and never raises."""

    def __init__(self, take: Callable[[Level, Fields], None]) -> None:
        super().__init__(level=logging.WARNING)
        self._take = take

    def attach(self) -> None:
        """Listen to all loggers of this process, and to Python's warnings."""
        logging.getLogger().addHandler(self)
        logging.captureWarnings(True)

    def detach(self) -> None:
        """Undo `attach`."""
        logging.getLogger().removeHandler(self)
        logging.captureWarnings(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record; an exception goes along as it is, to be rendered without local variables."""
        fields: Fields = {"logger": record.name, "message": _message(record)}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info
        self._take("error" if record.levelno >= logging.ERROR else "warning", fields)


def _message(record: logging.LogRecord) -> str:
    """Fill in a message's arguments; a library that gives the wrong ones must not stop a night."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg!r} with arguments that do not fit"
