"""The run's clock: it goes as the monotonic clock goes, from where the wall clock or the ledger says."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.engine.clock import Clock


@dataclass
class Machine:
    """Two clocks that are set by hand."""

    wall_s: float = 1000.0
    monotonic_s: float = 50.0
    asked: int = 0

    def wall(self) -> float:
        self.asked += 1
        return self.wall_s

    def monotonic(self) -> float:
        return self.monotonic_s


def clock_of(machine: Machine) -> Clock:
    """Make a run's clock."""
    return Clock(wall=machine.wall, monotonic=machine.monotonic)


def test_it_starts_with_the_wall_clock_and_goes_with_the_monotonic_one() -> None:
    """UTC epoch seconds at the start, seconds passed since."""
    machine = Machine()
    clock = clock_of(machine)
    assert clock() == 1000.0
    machine.monotonic_s += 7.5
    assert clock() == 1007.5


def test_a_wall_clock_that_is_set_moves_nothing() -> None:
    """Set back or forward in the night, it is not read again: no pause ends early, none grows."""
    machine = Machine()
    clock = clock_of(machine)
    for wall_s in (0.0, 9_000_000.0):
        machine.wall_s = wall_s
        assert clock() == 1000.0
    assert machine.asked == 1


def test_it_never_falls_behind_the_ledger() -> None:
    """A machine that starts in the past goes on from the ledger's last event, and time passes from there."""
    machine = Machine()
    clock = clock_of(machine)
    clock.not_before(5000.0)
    assert clock() == 5000.0
    machine.monotonic_s += 3.0
    assert clock() == 5003.0


def test_a_ledger_of_the_past_holds_nothing_back() -> None:
    """An older last event, the same one twice and an empty ledger leave the clock as it is."""
    machine = Machine()
    clock = clock_of(machine)
    for at in (999.0, 1000.0, 0.0, float("-inf")):
        clock.not_before(at)
        assert clock() == 1000.0


def test_what_passed_since_the_start_counts_before_it_is_moved() -> None:
    """Moved to a time that it shows already, it does not jump."""
    machine = Machine()
    clock = clock_of(machine)
    machine.monotonic_s += 100.0
    clock.not_before(1060.0)
    assert clock() == 1100.0
