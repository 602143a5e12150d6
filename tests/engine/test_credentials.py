"""Credentials that stop working in the night: nothing more is submitted, what can be watched is."""

from __future__ import annotations

import pytest

from orchestrator.core.messages import Accepted, List, Listed, Look, Lost, Refused, Seen, Unanswered
from orchestrator.core.model import CallId, Chunk
from orchestrator.core.reasons import Reason
from orchestrator.simulator.memory import MemoryCloud
from tests.nights import EAST, SOUTH, Cloud, Operator, check_books, copies_of, now

pytestmark = pytest.mark.looptime


class ExpiringCloud(MemoryCloud):
    """A cloud that takes no call after `calls_until`, and answers nothing after `reads_until`."""

    calls_until = reads_until = float("inf")

    async def copy(self, call: CallId, chunk: Chunk, mark: str | None) -> Accepted | Refused | Lost:
        """Refuse the credentials of a call when its time is over."""
        if now() >= self.calls_until:
            return Refused(at=now(), call=call, reason=Reason.CREDENTIALS, detail="403")
        return await super().copy(call, chunk, mark)

    async def look(self, action: Look) -> Seen | Unanswered:
        """Refuse the credentials of a look when its time is over."""
        if now() >= self.reads_until:
            return Unanswered(at=now(), read="look", region=action.region, reason=Reason.CREDENTIALS)
        return await super().look(action)

    async def list(self, action: List) -> Listed | Unanswered:
        """Refuse the credentials of a listing when its time is over."""
        if now() >= self.reads_until:
            return Unanswered(at=now(), read="list", region=action.region, reason=Reason.CREDENTIALS)
        return await super().list(action)


class Account(Cloud):
    """The simulated cloud behind credentials that expire."""

    calls_s = reads_s = float("inf")

    def port(self) -> ExpiringCloud:
        """Return the port that the engine drives."""
        port = ExpiringCloud(self.world, clock=now, latency_s=self.latency_s, faults=self.faults)
        port.calls_until, port.reads_until = now() + self.calls_s, now() + self.reads_s
        return port


async def test_refused_calls_leave_the_rest_to_be_watched() -> None:
    """After a 403 no call is sent; what is under way is watched to its end, then exit 77."""
    cloud = Account(images=10)
    cloud.calls_s = 300
    night = await Operator(cloud).night(copies_of(10, EAST, SOUTH))
    assert (night.verdict, night.exit_code) == ("credentials", 77)
    assert (night.counts.ready, night.counts.pending) == (10, 10)
    assert len([e for e in night.events if isinstance(e, Refused)]) == 1
    check_books(cloud)


async def test_refused_reads_end_the_run() -> None:
    """When not even a look is answered the run ends at once; the next one takes over."""
    cloud = Account(images=10)
    cloud.reads_s = 300
    operator = Operator(cloud)
    night = await operator.night(copies_of(10, EAST, SOUTH))
    assert (night.verdict, night.exit_code) == ("credentials", 77)
    assert night.counts.ready == 0
    assert len([e for e in night.events if isinstance(e, Unanswered)]) <= 2
    cloud.reads_s = float("inf")
    assert (await operator.night(copies_of(10, EAST, SOUTH))).verdict == "ok"
    check_books(cloud)
