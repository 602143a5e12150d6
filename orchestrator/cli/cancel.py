"""`orchestrator cancel`: asks a run to stop, waits for its end, and says what goes on without it."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from signal import SIGTERM
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import LockHeld, UsageError

if TYPE_CHECKING:
    from orchestrator.ledger.lock import LockOwner

_PATIENCE_S = 90.0
"""Longer than a run waits for open answers; systemd gives a service as much."""

_LOOK_S = 0.1


@click.command()
@click.option("--no-wait", is_flag=True, help="Ask only; do not wait until the run has ended.")
@simulate_option
@settings_options
def cancel(
    no_wait: bool, simulate: bool, config: Path | None, state_dir: str | None, settings: tuple[str, ...]
) -> None:
    """End a running night cleanly: nothing more is submitted, what the cloud has begun goes on there.

    Exits 0 also when no run is going on, 2 when it runs on another machine, 75 when it does not end in time.
    """
    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    owner = _running(folder)
    if owner is None:
        click.echo(f"No run is going on in {folder}: there is nothing to cancel.")
        return
    _ask(owner)
    click.echo(f"Run {_named(owner)} was asked to stop: nothing more is submitted.")
    if no_wait:
        click.echo("What the cloud has begun goes on there, and the next run adopts it.")
        return
    if not _wait(folder, owner):
        raise LockHeld(
            f"Run {owner.run} has not ended within {_PATIENCE_S:g} s. See `orchestrator status`; if it "
            "hangs, `orchestrator run --take-over` takes over from it."
        )
    for line in _ending(folder, owner):
        click.echo(line)


def _running(folder: Path) -> LockOwner | None:
    """Return who holds the lock here; None when nobody does. Raises UsageError or LockHeld."""
    from orchestrator.ledger.folder import LOCK
    from orchestrator.ledger.lock import is_held, read_owner

    owner, host = read_owner(folder), socket.gethostname()
    if owner is not None and owner.host != host:
        raise UsageError(
            f"The lock names run {owner}, and this machine is {host}. If that run is going on, "
            f"`orchestrator cancel` on {owner.host} ends it."
        )
    if not is_held(folder):
        return None
    if owner is None or not _has_open(owner.pid, folder):
        raise LockHeld(
            f"The lock in {folder} is held, and it does not say truly by whom. `fuser {folder / LOCK}` "
            "names the process: end it with `kill`."
        )
    return owner


def _has_open(pid: int, folder: Path) -> bool:
    """Tell whether a process has the lock file open, so that no stranger with that number is ended.

    Where that cannot be seen, the word in the file is believed.
    """
    from orchestrator.ledger.folder import LOCK

    files, lock = Path(f"/proc/{pid}/fd"), folder / LOCK
    try:
        return any(_same(link, lock) for link in files.iterdir())
    except FileNotFoundError:
        return not Path("/proc/self/fd").exists()
    except OSError:
        return True


def _same(link: Path, file: Path) -> bool:
    """Tell whether a descriptor is of a file; one that is closed meanwhile is not."""
    try:
        return os.path.samestat(link.stat(), file.stat())
    except OSError:
        return False


def _ask(owner: LockOwner) -> None:
    """Ask the run to stop; one that has just ended by itself needs no asking."""
    try:
        os.kill(owner.pid, SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        raise UsageError(
            f"Process {owner.pid} of run {owner.run} is another user's. Run this as that user, or as root."
        ) from None


def _wait(folder: Path, owner: LockOwner) -> bool:
    """Wait until the run holds the lock no more; tell whether that came in time."""
    from orchestrator.ledger.lock import is_held, read_owner

    end = time.monotonic() + _PATIENCE_S
    while is_held(folder) and read_owner(folder) == owner:
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_S)
    return True


def _ending(folder: Path, owner: LockOwner) -> list[str]:
    """Say how the run ended and what goes on in the cloud."""
    from orchestrator.cli.looking import find_run, open_ledger
    from orchestrator.cli.views import view_of
    from orchestrator.watch.cancel_view import ending_lines

    with open_ledger(folder) as reader:
        return ending_lines(view_of(reader, folder, find_run(reader, owner.run)))


def _named(owner: LockOwner) -> str:
    """Name a run; the lock file may hold anything."""
    from orchestrator.watch.text import clean

    return clean(f"{owner.run} (process {owner.pid})")
