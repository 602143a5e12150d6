"""Lives batches of lives; the batch's seed decides everything, so each batch can be lived again by itself."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from traceback import format_exception

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.recovery.machine import Recovery, Tally

STEPS = 40
"""Rules in one life, at most; each is followed by all the checks."""

_FRAMES = 4


@dataclass(slots=True)
class Batch:
    """What some lives came to; `failure` tells the shortest one that broke a promise."""

    number: int
    tally: Tally = field(default_factory=Tally)
    failure: str = ""

    def __str__(self) -> str:
        return f"{self.failure}\n  replay: {replay(self.number)}"


def replay(number: int) -> str:
    """Write the command that lives one batch again."""
    return f"python -m tests.recovery --seed {number}"


def play(number: int, *, lives: int, steps: int = STEPS, shorten: bool = True) -> Batch:
    """Live some lives; the first that breaks a promise is told, shortened where there is time for it."""
    batch = Batch(number)
    told = StringIO()
    try:
        with redirect_stdout(told):
            run_state_machine_as_test(
                _seeded(batch.tally, number), settings=_bounds(lives, steps, shorten=shorten)
            )
    except Exception as error:
        batch.failure = told.getvalue() + "".join(format_exception(error, limit=-_FRAMES))
    return batch


def _seeded(tally: Tally, number: int) -> type[Recovery]:
    """Make a machine that counts into a tally and draws from a seed."""

    class Seeded(Recovery):
        def __init__(self) -> None:
            super().__init__(tally)

    return seed(number)(Seeded)


def _bounds(lives: int, steps: int, *, shorten: bool) -> settings:
    """Let nothing but the seed decide: no example from an earlier day, no deadline."""
    return settings(
        max_examples=lives,
        stateful_step_count=steps,
        phases=(Phase.generate, Phase.shrink) if shorten else (Phase.generate,),
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
