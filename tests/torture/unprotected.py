"""The real program without its main protection: a lost answer is taken for a refusal, so it is sent again.

Torture runs this to prove that it would see the duplicates. It is no part of the program.
"""

from __future__ import annotations

from orchestrator.cli.main import main
from orchestrator.core.messages import Change, Event, Lost, Refused
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule

_careful = Schedule.apply


def _naive(schedule: Schedule, event: Event) -> tuple[Change, ...]:
    """Apply an event, but believe that a call without an answer made nothing."""
    if isinstance(event, Lost):
        event = Refused(at=event.at, call=event.call, reason=Reason.UNREACHABLE, until=event.at)
    return _careful(schedule, event)


if __name__ == "__main__":
    Schedule.apply = _naive  # type: ignore[method-assign, assignment]
    main()
