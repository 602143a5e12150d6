"""How structlog turns a record into one JSON line; configures nothing globally and keeps no state."""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import structlog
from structlog.processors import ExceptionRenderer, JSONRenderer
from structlog.tracebacks import ExceptionDictTransformer

from orchestrator.core.model import RunId
from orchestrator.watch.masks import Mask
from orchestrator.watch.names import ALWAYS, SCHEMA, Level

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_FRAMES = 20
EventDict = MutableMapping[str, Any]


class _Lines:
    """What structlog calls a logger: it takes the rendered line, whatever its level."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def msg(self, line: str) -> None:
        """Hand one rendered line on."""
        self._write(line)

    debug = info = warning = error = msg


def build_logger(
    write: Callable[[str], object], run: RunId, *, least: int, mask: Mask
) -> FilteringBoundLogger:
    """Build the logger of one run: `write` gets each line without its newline.

    Tracebacks are rendered without local variables, because those hold secrets.
    """
    logger: FilteringBoundLogger = structlog.wrap_logger(
        _Lines(write),
        processors=[
            structlog.stdlib.add_log_level,
            ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=_FRAMES)),
            _masked(mask),
            JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
        run=run,
    )
    return logger


def _masked(mask: Mask) -> Callable[[Any, str, EventDict], EventDict]:
    """Make the processor that fills in the promised keys, in order, and masks every value."""

    def frame(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["schema"] = SCHEMA
        line = {key: event.pop(key, None) for key in ALWAYS}
        line.update(event)
        return {key: mask.value(value) for key, value in line.items()}

    return frame
