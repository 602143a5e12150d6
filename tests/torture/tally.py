"""What torture counts, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass, field

_FIGURES = (
    "rounds",
    "kills",
    "checks",
    "copies",
    "duplicates",
    "missing",
    "unrecorded",
    "damaged",
)


@dataclass(slots=True)
class Tally:
    """Counts of one round, or of all.

    `checks` counts ledgers that were read whole after a kill or an end, and found in order;
    `complaints` are sentences, each with the command that replays it.
    """

    rounds: int = 0
    kills: int = 0
    checks: int = 0
    copies: int = 0
    duplicates: int = 0
    missing: int = 0
    unrecorded: int = 0
    damaged: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take the counts of another one in."""
        self.rounds += other.rounds
        self.kills += other.kills
        self.checks += other.checks
        self.copies += other.copies
        self.duplicates += other.duplicates
        self.missing += other.missing
        self.unrecorded += other.unrecorded
        self.damaged += other.damaged
        self.complaints += other.complaints

    def as_dict(self) -> dict[str, int]:
        """Give the figures as JSON carries them."""
        figures = {name: getattr(self, name) for name in _FIGURES}
        return {**figures, "complaints": len(self.complaints)}

    def line(self, spent_s: float) -> str:
        """Say it in one line."""
        return (
            f"{self.rounds} rounds, {self.kills} kills ({60 * self.kills / max(spent_s, 0.1):.0f} a minute), "
            f"{self.checks} ledgers checked, {self.copies} copies: {self.duplicates} duplicates, "
            f"{self.missing} missing, {self.unrecorded} unrecorded, {self.damaged} damaged, "
            f"{len(self.complaints)} complaints"
        )
