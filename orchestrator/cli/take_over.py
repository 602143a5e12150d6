"""The question of `run --take-over`: who holds the lock, and what is known of it. It takes nothing over."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import click

from orchestrator.errors import LockHeld
from orchestrator.ledger.folder import LEDGER, LOCK
from orchestrator.ledger.lock import LockOwner, is_held, read_owner
from orchestrator.watch.text import clean, span

_MEANING = (
    "Taking over means: it can write nothing more and sends no call that it has not begun to send. A call "
    "under way counts as lost: whether it made its copies is found out by looking, and nothing is made twice."
)


def agreed_holder(folder: Path, *, yes: bool) -> LockOwner | None:
    """Return the run that may be overtaken, after a clear question; None where nobody holds the lock.

    Raises LockHeld when that is not wanted, or when there is nobody to ask and no `yes` either.
    """
    owner = read_owner(folder)
    if not is_held(folder):
        if owner is not None:
            _tell(f"Nobody holds the lock, as far as can be seen from here. The last was {_named(owner)}.")
        return None
    if owner is None:
        raise LockHeld(
            f"The lock {folder / LOCK} is held, and it does not say by whom. `fuser {folder / LOCK}` names "
            f"the process: end it, then run again."
        )
    for line in known_of(owner, folder, host=socket.gethostname(), now=time.time()):
        _tell(line)
    _ask(yes=yes)
    return owner


def known_of(owner: LockOwner, folder: Path, *, host: str, now: float) -> tuple[str, ...]:
    """Say what can be known of the run that holds the lock; `now` is in UTC epoch seconds."""
    held_s = max(0.0, now - owner.started_at)
    return (
        f"The lock is held by {_named(owner)} ({span(held_s, spoken=True)} ago).",
        _condition(owner, host),
        _last_word(folder, now),
        _MEANING,
    )


def _ask(*, yes: bool) -> None:
    """Get a yes, from the command line or from a person."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise LockHeld("Nothing was taken over: nobody is there to be asked. Give --yes if that run hangs.")
    if not click.confirm("Take over from this run?", default=False, err=True):
        raise LockHeld("Nothing was taken over. Wait for the other run, or give --lock-wait.")


def _named(owner: LockOwner) -> str:
    """Name a run; the file may hold anything."""
    return clean(str(owner))


def _condition(owner: LockOwner, host: str) -> str:
    """Say how the process is, if it can be seen from here."""
    if owner.host != host:
        return f"It runs on {clean(owner.host)}; from here ({clean(host)}) nobody can see how it is."
    try:
        status = Path(f"/proc/{owner.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "There is no such process here: a container of its own, or something it started has the lock."
    except OSError:
        return "How that process is cannot be seen."
    if status.rpartition(")")[2].split()[:1] == ["T"]:
        return f"It is stopped, as by Ctrl-Z or SIGSTOP: `kill -CONT {owner.pid}` would let it go on."
    return f"It is alive: if it does not hang, `kill {owner.pid}` ends it in good order."


def _last_word(folder: Path, now: float) -> str:
    """Say how long ago something was recorded: every event is written into one of two files at once."""
    times = []
    for name in (LEDGER, f"{LEDGER}-wal"):
        with suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    if not times:
        return "It has recorded nothing yet."
    return f"The last event was recorded {span(max(0.0, now - max(times)), spoken=True)} ago."


def _tell(line: str) -> None:
    """Say something on stderr, where it disturbs no --json."""
    click.echo(line, err=True)
