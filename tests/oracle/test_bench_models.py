"""The benchmark's policies are models: the real script and the real program agree (group `oracle`)."""

from __future__ import annotations

import pytest

from tests.bench.cells import Key
from tests.bench.paired import lines, pair, together
from tests.bench.real import has_sdk

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(300)]

_SPEED = 120


@pytest.mark.skipif(
    not has_sdk(), reason="jdcloud_sdk is not installed: the script's model was NOT held against the script"
)
def test_the_script_of_the_benchmark_is_the_script_of_the_sdk() -> None:
    """Over HTTP the script takes as long, asks as often and leaves out as much as its model."""
    held = pair("script", Key("uniform", 3, 20), 2, _SPEED)
    assert together(held), lines([held])


def test_the_schedule_of_the_benchmark_is_the_program() -> None:
    """The program over HTTP needs what its schedule needs in virtual time, and leaves nothing out."""
    held = pair("ours", Key("uniform", 3, 20), 2, _SPEED)
    assert together(held), lines([held])
    assert held.real.missing == held.real.broken == 0
