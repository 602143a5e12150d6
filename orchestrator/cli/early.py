"""Before anything else: signals that nobody listens to yet, and memory that nobody dumps. Light to load."""

from __future__ import annotations

import os
from contextlib import suppress
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, Signals, getsignal, signal

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def heard_signals() -> list[Signals]:
    """Name the signals to listen to; one that is ignored stays ignored (nohup)."""
    return [heard for heard in (SIGINT, SIGTERM, SIGHUP) if getsignal(heard) is not SIG_IGN]


def meaning_of(heard: int) -> int:
    """Take a lost terminal for the wish that the program should end."""
    return SIGTERM if heard == SIGHUP else heard


def leave_on_signals() -> None:
    """Leave at once, with the exit status and without a word, until somebody listens: nothing is open yet."""
    for heard in heard_signals():
        signal(heard, lambda number, _frame: os._exit(128 + meaning_of(number)))


def limit_core_files() -> None:
    """Let this process and its children leave no core file: it would hold the credentials."""
    import resource

    with suppress(OSError, ValueError):  # not allowed: then there is a lower limit already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid_dumps() -> None:
    """Have the kernel refuse every dump of our memory, those into a pipe too, which know no limit.

    Where there is no prctl (not on Linux), nothing happens. A side effect is wanted: other processes
    of the same user can neither attach to this one nor read its /proc/PID/environ. It reads its own.
    """
    import ctypes  # some milliseconds: not for --version

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
