"""Standard streams at their worst: closed, full, or with nobody at the other end. Decides no exit code.

What is said on stderr is for people, so no failure there ever matters: the words are dropped. A
failure of stdout is an OSError for the verb that printed, and is remembered for `stdout_trouble`.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from errno import EPIPE
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Remembering(io.FileIO):
    """A file that remembers why it could not be written."""

    trouble: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or raise OSError as ever."""
        try:
            return super().write(data)
        except OSError as error:
            self.trouble = self.trouble or error
            raise


class _Forgiving(io.FileIO):
    """A file that takes everything and drops what cannot be written."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what can be written, and claim to have written all of it."""
        with suppress(OSError):
            super().write(data)
        return memoryview(data).nbytes


def prepare_streams() -> None:
    """Put a place where words vanish in place of each closed stream; make stdout and stderr as told above.

    A descriptor below 3 that is left closed would be taken by the next file that is opened, the
    ledger's perhaps, and what is meant for a person would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest free number: this one
    sys.stdout = _text(_Remembering(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Forgiving(2, "w", closefd=False), sys.stderr)


def _text(raw: io.FileIO, like: TextIO | None) -> TextIO:
    """Make a text stream of a file, in the encoding of the stream that it replaces."""
    encoding = like.encoding if like is not None else "utf-8"
    errors = like.errors if like is not None else "backslashreplace"
    lines = raw.fileno() == 2 or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=lines)


def stdout_trouble() -> OSError | None:
    """Write out what is still in stdout; tell why something could not be written, and give stdout up.

    After trouble stdout leads nowhere: Python would complain once more at the exit, in its own way.
    """
    with suppress(OSError):
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(raw, _Remembering) or raw.trouble is None:
        return None
    trouble, raw.trouble = raw.trouble, None
    os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), raw.fileno())
    return trouble


def reader_left(trouble: OSError) -> bool:
    """Tell whether somebody had read enough, which is no trouble at all (`| head -1`)."""
    return trouble.errno == EPIPE
