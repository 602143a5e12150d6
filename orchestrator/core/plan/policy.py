"""What a replication wants besides its copies: order, names, how long they are kept, what may fail. Data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Which copies of a family stay in a destination: the newest so many, and those not older than this.

    A copy stays when either says so; None says nothing. `within_s` is in seconds.
    """

    latest: int | None = None
    within_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """How copies are named and described once they are ready: templates (`labels`), None for as they are."""

    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The wishes of one replication. `relay`: a copy that is ready may carry the next.

    Replications of higher `priority` come first where room is short. `fail_after_nights` makes its
    destinations best effort: what is missing there is a failure only from that night in a row on.
    """

    relay: bool = False
    priority: int = 0
    fail_after_nights: int | None = None
    keep: Keep | None = None
    label: Label | None = None
    verify: bool = False


PLAIN = Policy()
