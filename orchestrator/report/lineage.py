"""Which image a relayed copy was made of, and that one of which, back to the original. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.core.verdict import Standing
from orchestrator.report.story import Place

LONGEST = 10
"""More steps than there are regions: what is longer goes round in a circle, which no true ledger does."""


def by_place(standings: Iterable[Standing]) -> dict[Place, Standing]:
    """Find copies by the image that they became."""
    return {(s.copy.destination, s.image): s for s in standings if s.image is not None}


def lineage(standing: Standing, made: Mapping[Place, Standing]) -> tuple[Place, ...]:
    """Lead from the original to the image of a relayed copy; empty for one that the original carried."""
    if standing.via is None or standing.carrier is None:
        return ()
    chain: list[Place] = [(standing.copy.destination, standing.image)] if standing.image else []
    original: Place = (standing.copy.origin, standing.copy.source)
    step: Standing | None = standing
    while step is not None and step.via is not None and step.carrier is not None and len(chain) < LONGEST:
        carrier = (step.via, step.carrier)
        if carrier == original:
            break
        chain.append(carrier)
        step = made.get(carrier)
    return (original, *reversed(chain))
