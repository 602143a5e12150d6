"""Many storms counted: what was reached, what was broken, and how much a zero says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from tests.storm.night import Outcome

_SUMMED = ("lives", "crashes", "posts", "copies", "duplicates", "unrecorded", "unfinished", "needs_person")
_ALSO = ("events", "faults", "held", "relayed", "twice")
_SHOWN, _WIDTH = 5, 160
CONDITION = "an accepted copy becomes visible within SETTLE_TIME of the end of its request"


@dataclass(slots=True)
class Tally:
    """The sum of the storms so far. `failures` are (seed, broken promises), `wish` is what was asked for."""

    wish: str = ""
    nights: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    habits: Counter[str] = field(default_factory=Counter)
    virtual_s: float = 0.0
    failures: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    traces: dict[int, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count one storm."""
        self.nights += 1
        self.virtual_s += outcome.virtual_s
        self.habits[outcome.habit] += 1
        self.traces[outcome.seed] = outcome.trace
        for name in (*_SUMMED, *_ALSO):
            self.sums[name] += getattr(outcome, name)
        if outcome.broken:
            self.failures.append((outcome.seed, outcome.broken))

    @property
    def bound(self) -> float:
        """The rule of three: with 95 % confidence fewer storms than this share would break a promise."""
        return min(1.0, 3 / self.nights) if self.nights else 1.0

    @property
    def digest(self) -> str:
        """One digest of all traces: the same for the same seeds on every machine and supported Python."""
        return sha256(repr(sorted(self.traces.items())).encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, object]:
        """Give the figures as JSON carries them."""
        figures: dict[str, object] = {name: self.sums[name] for name in (*_SUMMED, *_ALSO)}
        return {
            "nights": self.nights,
            **figures,
            "virtual_hours": round(self.virtual_s / 3600),
            "clouds": dict(sorted(self.habits.items())),
            "failed": len(self.failures),
            "bound_95": self.bound if not self.failures else None,
            "traces": self.digest,
            "condition": CONDITION,
            "failures": [{"seed": seed, "broken": list(broken)} for seed, broken in self.failures],
        }


def replay(seed: int, wish: str = "") -> str:
    """Write the command that plays one storm again."""
    return f"python -m tests.storm --seed {seed} {wish}".rstrip()


def lines(tally: Tally) -> Iterable[str]:
    """Say what many storms came to."""
    sums = tally.sums
    yield f"{tally.nights} nights of storm, {sums['lives']} process lives, {sums['crashes']} crashes"
    yield f"{sums['posts']} copy calls, {sums['copies']} copies made, {sums['faults']} faults played"
    yield f"{sums['held']} calls of the dead held back until the next life"
    yield f"{sums['relayed']} copies made of copies"
    yield f"{sums['events']} events, {tally.virtual_s / 3600:.0f} virtual hours"
    yield "clouds: " + ", ".join(f"{count} {habit}" for habit, count in sorted(tally.habits.items()))
    yield f"duplicates {sums['duplicates']}, unrecorded {sums['unrecorded']}, unfinished {sums['unfinished']}"
    yield f"left for a person {sums['needs_person']}; played twice and compared {sums['twice']}"
    yield f"traces {tally.digest}: the same on every machine and supported Python"
    if not tally.failures and tally.nights:
        share = f"fewer than {100 * tally.bound:.2g} % of such nights break a promise (95 %, rule of three)"
        yield f"no promise broken: {share}, as long as {CONDITION}"
    for seed, broken in tally.failures:
        yield f"seed {seed}, again with: {replay(seed, tally.wish)}"
        yield from (f"    {line[:_WIDTH]}" for line in broken[:_SHOWN])
        if len(broken) > _SHOWN:
            yield f"    and {len(broken) - _SHOWN} more"
