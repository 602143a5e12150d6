"""Tells the progress log what does not fit into a destination's quotas, when a survey changes it.

It takes the numbers from the schedule and counts nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.core.messages import Change, Event, Surveyed, Unanswered
from orchestrator.core.model import Region
from orchestrator.core.verdict import Overview, Shortage
from orchestrator.watch.progress_log import ProgressLog


class Shortages:
    """A watcher of one run; one line per destination and change, however many copies are deferred."""

    def __init__(self, log: ProgressLog, overview: Callable[[], Sequence[Overview]]) -> None:
        self._log = log
        self._overview = overview
        self._told: dict[Region, Shortage | None] = {}

    def event(self, event: Event, changes: Sequence[Change]) -> None:
        """Look again after a quota was read, or could not be."""
        if isinstance(event, Surveyed | Unanswered):
            for view in self._overview():
                if view.shortage != self._told.get(view.region):
                    self._told[view.region] = view.shortage
                    self._tell(view)

    def _tell(self, view: Overview) -> None:
        """Write down what fits and what is deferred."""
        lacks, wanted = view.shortage, sum(view.states.values())
        self._log.note(
            "copies.deferred",
            "warning" if lacks else "info",
            destination_region=view.region,
            deferred=lacks.deferred if lacks else 0,
            fit=lacks.fit if lacks else wanted,
            short=dict(lacks.short) if lacks else {},
        )
