"""Signals before anybody listens: which are heard, what they mean, and leaving at once. Light to load."""

from __future__ import annotations

import os
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, Signals, getsignal, signal


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
