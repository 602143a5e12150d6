"""A person's word on a doubtful copy, written into the ledger as one event. Nothing is sent.

Its place is beside `night`: both write to the ledger under the lock, this one a single fact.
"""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.cloud.errors import image_id
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Settled
from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.schedule import Schedule
from orchestrator.errors import UsageError
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.ledger.snapshot import recovered
from orchestrator.ledger.sqlite import Ledger
from orchestrator.machine import Machine


def settle(
    folder: Path, image: ImageId, region: Region, *, made: bool, found: ImageId | None, machine: Machine
) -> Copy:
    """Settle the doubtful copy of an image in a region; return which copy that was.

    `found` is the destination image, if the person knows it. Raises UsageError when it is no image
    id or the ledger has no such doubtful copy, and LockHeld while a run is going on.
    """
    if found is not None and image_id(found) is None:
        raise UsageError(f"{found!r:.60} is no image id: img- and 1 to 32 of a-z and 0-9. Mend --as.")
    run = RunId(f"settle-{machine.token(4)}")
    owner = LockOwner(run=run, pid=os.getpid(), host=machine.host, started_at=machine.wall())
    with (
        RunLock.attempt(folder, owner=owner),
        Ledger.open(folder, ids=lambda: machine.token(12), now=machine.wall()) as ledger,
    ):
        ledger.take_epoch()
        schedule = recovered(ledger, Limits())
        copy = _doubtful(schedule, image, region)
        at = max(machine.wall(), schedule.register.now)
        event = Settled(at=at, copy=copy, made=made, image=found)
        ledger.record(event, schedule.apply(event), run=run)
    return copy


def _doubtful(schedule: Schedule, image: ImageId, region: Region) -> Copy:
    """Find the one doubtful copy that is meant."""
    states = schedule.states()
    named = [copy for copy in states if copy.source == image and copy.destination == region]
    doubtful = [copy for copy in named if states[copy] is State.DOUBTFUL]
    if len(doubtful) == 1:
        return doubtful[0]
    stand = ", ".join(f"{copy.origin}: {states[copy].value}" for copy in named) or "not known"
    raise UsageError(
        f"no doubtful copy of {image} in {region} ({stand}). `orchestrator status` names those there are."
    )
