"""Plays rounds: starts the program, kills it with -9, starts it again till it ends by itself, then audits."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL
from tempfile import mkdtemp

import pytest

from orchestrator.core.messages import Event
from orchestrator.settings import load_settings
from tests.e2e.processes import PROGRAM, Running, until
from tests.e2e.support import Cloud, Home
from tests.torture.audit import Damage, check_books, check_ledger
from tests.torture.rounds import PATIENT, Moment, Round, draw
from tests.torture.tally import Tally

UNPROTECTED = (sys.executable, "-P", str(Path(__file__).with_name("unprotected.py")))
HARMLESS = (Moment(0, 0.02),)
"""Without the protection a process is killed once, while it starts: each later kill would heal what the bug
did, because every run lists its destinations before its first call and adopts what it finds."""

_END_S = 60.0


def play(drawn: Round, folder: Path, *, unprotected: bool = False) -> Tally:
    """Play one round in an empty folder. The tally complains of what went wrong; nothing is raised."""
    tally = Tally(rounds=1)
    cloud = Cloud(folder / "cloud", seed=drawn.seed)
    home = Home(folder / "home", cloud, **PATIENT)
    try:
        cloud.weather(**drawn.weather)
        _Killing(drawn, home, tally, unprotected=unprotected).go()
        check_books(drawn, cloud.books(), home.state, tally)
    except Damage as damage:
        tally.damaged += 1
        tally.complaints.append(str(damage))
    except pytest.fail.Exception as failure:  # somebody's patience ended
        tally.complaints.append(str(failure))
    finally:
        home.end()
        cloud.end()
    return tally


def play_seed(seed: int, *, unprotected: bool = False) -> Tally:
    """Play the round of a seed in a folder of its own, which stays where something is complained of."""
    folder = Path(mkdtemp(prefix=f"torture-{seed}-"))
    drawn = replace(draw(seed), moments=HARMLESS) if unprotected else draw(seed)
    tally = play(drawn, folder, unprotected=unprotected)
    if unprotected or not tally.complaints:
        shutil.rmtree(folder)
    where = "" if unprotected else f" (all files: {folder})"
    again = f"python -m tests.torture --rounds 1 --seed {seed}{' --unprotected' if unprotected else ''}"
    tally.complaints = [f"seed {seed}: {what}{where}\n  replay: {again}" for what in tally.complaints]
    return tally


class _Killing:
    """One home in which run after run is killed, and the ledger is checked after each."""

    def __init__(self, drawn: Round, home: Home, tally: Tally, *, unprotected: bool) -> None:
        self._home = home
        self._program: Sequence[str] = UNPROTECTED if unprotected else PROGRAM
        self._judged = not unprotected
        self._tally = tally
        self._moments = drawn.moments
        self._events: tuple[Event, ...] = ()
        self._limits = load_settings(
            environ=home.environ, cwd=home.folder, home=home.folder, config=None, overrides={}
        ).limits()
        self._plan = home.plan(drawn.images, *drawn.destinations)

    def go(self) -> None:
        """Kill at every moment, then let a run end by itself; a run may be quicker than its killer."""
        for moment in self._moments:
            if self._killed(moment):
                self._tally.kills += 1
                self._check()
                continue
            break
        else:
            self._ended(self._start())

    def _start(self) -> Running:
        """Start the program."""
        return self._home.start("run", self._plan, program=self._program)

    def _killed(self, moment: Moment) -> bool:
        """Start a run and kill it at a moment; tell whether it was still there to be killed."""
        before = self._home.log_lines()[:1]
        running = self._start()

        def far_enough() -> bool:
            now = self._home.log_lines()
            its_own = moment.lines == 0 or now[:1] != before
            return not running.alive or (its_own and len(now) >= moment.lines)

        until(far_enough, f"line {moment.lines} of the log")
        time.sleep(moment.late_s)
        running.signal(SIGKILL)
        if running.process.wait() == -SIGKILL:
            return True
        self._ended(running)
        return False

    def _ended(self, running: Running) -> None:
        """Take a run's own end in: it must be a good one, and its ledger too."""
        done = running.wait(_END_S)
        if done.code:
            last = " | ".join(done.err.splitlines()[-4:])
            self._tally.complaints.append(f"a run ended with {done.code}: {last}")
        self._check()

    def _check(self) -> None:
        """Check the ledger as the latest process has left it; without the protection nothing is promised."""
        if self._judged:
            self._events = check_ledger(self._home.state, self._events, self._limits)
            self._tally.checks += 1
