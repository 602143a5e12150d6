"""Stories made by hand, of any size: for what a page must bear. No test is here."""

from __future__ import annotations

from orchestrator.core.model import CallId, Copy, ImageId, Region, Resource, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Upkeep, Verified
from orchestrator.core.verdict import Counts, Standing
from orchestrator.report.story import CallStory, CopyStory, EarlierRun, QuotaStory, Spell, Story, Traffic
from tests.nights import EAST, EAST1, NORTH, SOUTH
from tests.report.nights import HOSTILE
from tests.watch.samples import NIGHT

WAYS = (EAST, SOUTH, EAST1)
HOURS = 3600.0


def copy_story(number: int, *, name: str = "", text: str = "", to: Region | None = None) -> CopyStory:
    """Make the n-th copy: every 50th failed, every 51st waits, the others are ready; `text` is foreign."""
    state, reason = State.READY, Reason.COPIED
    if number % 50 == 7:
        state, reason = State.FAILED, Reason.COPY_ERROR
    elif number % 51 == 9:
        state, reason = State.WAITING, Reason.QUOTA_IMAGE
    copy = Copy(ImageId(f"img-s{number // 3:09d}"), NORTH, to or WAYS[number % 3])
    began, took = NIGHT + number % 40 * 60, 600 + number % 7 * 90
    spells = [Spell(State.WAITING, NIGHT + 1, reason if state is State.WAITING else Reason.QUEUED)]
    if state is not State.WAITING:
        spells += [
            Spell(State.CALLING, began + 60, Reason.CALLED),
            Spell(State.COPYING, began + 62, Reason.ACCEPTED),
            Spell(state, began + took, reason),
        ]
    image = ImageId(text or f"img-d{number:09d}") if state is not State.WAITING else None
    return CopyStory(
        standing=Standing(copy=copy, state=state, reason=reason, detail=text, image=image),
        name=name or f"golden-{number // 75:03d}-{number // 3:05d}",
        family=name or f"golden-{number // 75:03d}",
        spells=tuple(spells),
        calls=(CallId(f"call{number // 10:012d}"),) if state is not State.WAITING else (),
    )


def big_story(number: int = 10_000) -> Story:
    """Make a night of so many copies in families of 25 images; the first images have hostile names."""
    copies = [copy_story(n) for n in range(number - len(HOSTILE))]
    copies += [copy_story(number + n, name=name, text=name, to=EAST) for n, name in enumerate(HOSTILE)]
    states = [copy.standing.state for copy in copies]
    ready, failed = states.count(State.READY), states.count(State.FAILED)
    counts = Counts(wanted=number, ready=ready, failed=failed, pending=number - ready - failed)
    calls = [
        CallStory(
            call=CallId(f"call{n:012d}"), at=NIGHT + n % 40 * 60 + 60, origin=NORTH, destination=WAYS[n % 3],
            copies=10, relayed=False, answered_at=NIGHT + n % 40 * 60 + 62, answer="accepted",
            request=f"request-{n}",
        )
        for n in range(number // 10)
    ]  # fmt: skip
    return Story(
        run=RunId("20261123t031207z-abcd"), plan="config/plans/nightly.yaml", verdict="partial", exit_code=3,
        sentence=f"partial: {ready} of {number} copies ready, {failed} failed", started_at=NIGHT,
        finished_at=NIGHT + HOURS, until=NIGHT + HOURS, told_at=NIGHT + HOURS, counts=counts,
        requests={"copyImages": len(calls)}, copies=tuple(copies), calls=tuple(calls),
        quotas=(quota(EAST, used=3, needed=4),), traffic=Traffic(span_s=60, counts={"copyImages": (3, 0, 2)}),
        earlier=(EarlierRun(run=RunId("r0"), started_at=NIGHT - 86_400, finished_at=NIGHT - 80_000,
                            verdict="ok", counts=Counts(wanted=9, ready=9, failed=0, pending=0)),),
    )  # fmt: skip


def quota(region: Region, *, used: int, needed: int, limit: int = 5) -> QuotaStory:
    """Make an image quota."""
    return QuotaStory(
        region=region, resource=Resource.IMAGE, limit=limit, used=used, made=0, needed=needed, read_at=NIGHT
    )


def some_upkeep(text: str = "") -> list[Upkeep]:
    """Give an event of every kind of upkeep, and of each way it may fail; `text` is foreign."""
    copy, image = Copy(ImageId("img-a"), NORTH, EAST), ImageId(text or "img-y")
    return [
        Selected(at=NIGHT, replication="all", region=NORTH, selector="golden-*", images=(copy.source,)),
        Pruned(at=NIGHT, region=EAST, image=image, copy=copy, reason=Reason.PRUNED),
        Pruned(at=NIGHT, region=EAST, image=image, reason=Reason.SHARED, detail=text),
        Labelled(at=NIGHT, copy=copy, image=image, name=text or "golden", reason=Reason.LABELLED),
        Verified(at=NIGHT, copy=copy, image=image),
        Verified(at=NIGHT, copy=copy, image=image, differs=("size", text)),
    ]
