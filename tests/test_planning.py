"""What `plan` says against what `run` does: the same world, looked at and then run, must agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.diff import CODES, Code, Diff, Effect
from tests.planned_worlds import constructed

pytestmark = pytest.mark.looptime

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_run_does_what_the_plan_said(tmp_path: Path, seed: int) -> None:
    """Every copy planned to be sent is sent; none is that was said to be there, under way or blocked."""
    scene = await constructed(tmp_path, seed)
    diff = await scene.diff()
    print(diff.counts())
    since = scene.calls()
    await scene.night()
    sent = scene.submitted(since)
    for row in diff.rows:
        effect = CODES[row.code].effect
        if effect is Effect.SENDS:
            assert (row.copy.source, row.copy.destination) in sent, row
        elif effect is not Effect.DECIDES and not _may_find_room(diff, row.code, row.copy.destination):
            assert (row.copy.source, row.copy.destination) not in sent, row


def _may_find_room(diff: Diff, code: Code, region: str) -> bool:
    """Tell whether a deferred copy may be sent after all, because one that has a place may not need it."""
    undecided = (row for row in diff.rows if CODES[row.code].effect is Effect.DECIDES)
    return code is Code.BLOCKED_QUOTA and any(row.copy.destination == region for row in undecided)
