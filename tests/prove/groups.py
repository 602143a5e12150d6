"""What a proof consists of: the commands of every machine, with their full counts. It runs nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One command of a group. `full` are its counts in a full run, `share` is its part of the group's time.

    `brief` is None where a fixed time makes no sense: the task is left out then.
    """

    group: str
    name: str
    machine: str
    full: tuple[str, ...]
    brief: tuple[str, ...] | None = ()
    share: float = 1.0

    def command(self, seconds: float | None) -> tuple[str, ...]:
        """Lay the command out as it is typed behind `python`."""
        if seconds is None:
            return ("-m", self.machine, *self.full)
        limit = ("--seconds", f"{seconds * self.share:g}")
        return ("-m", self.machine, *(self.brief or ()), *limit)


def _walk(name: str, *world: str, states: str = "") -> Task:
    """Walk one world: whole, or up to so many states."""
    bound = ("--states", states) if states else ()
    return Task(group="walk", name=name, machine="tests.walk", full=(*world, *bound), brief=world, share=0.2)


_ALONE = ("--jobs", "1")
_MANY = "1000000000"

TASKS: tuple[Task, ...] = (
    Task(group="mutants", name="mutants", machine="tests.mutants", full=_ALONE, brief=("--bare", *_ALONE)),
    Task(
        group="torture", name="torture", machine="tests.torture", full=("--kills", "200", *_ALONE),
        brief=_ALONE,
    ),
    Task(
        group="storm", name="storm", machine="tests.storm", full=("--seeds", "2000", *_ALONE),
        brief=("--seeds", _MANY, *_ALONE), share=0.8,
    ),
    Task(group="fuzz", name="fuzz", machine="tests.fuzz", full=_ALONE, brief=_ALONE),
    Task(
        group="recovery", name="recovery", machine="tests.recovery", full=("--lives", "2000", *_ALONE),
        brief=("--lives", _MANY, *_ALONE),
    ),
    _walk("2 images to 2 destinations", states="300000"),
    _walk("2 images to 1 destination", "--images", "2", "--destinations", "1", states="60000"),
    _walk(
        "2 images of one name", "--images", "2", "--destinations", "1", "--namesakes", states="40000"
    ),
    _walk(
        "2 images, no descriptions", "--images", "2", "--destinations", "1", "--markless", states="40000"
    ),
    _walk("1 copy, whole", "--images", "1", "--destinations", "1", "--whole", "3"),
    Task(
        group="storm", name="storm without texts", machine="tests.storm",
        full=("--cloud", "silent", "--seeds", "300", *_ALONE),
        brief=("--cloud", "silent", "--seeds", _MANY, *_ALONE), share=0.2,
    ),
    Task(
        group="torture", name="torture, unprotected", machine="tests.torture",
        full=("--rounds", "5", *_ALONE, "--unprotected"), brief=None,
    ),
)  # fmt: skip
"""The longest first, so that two at a time end together."""

GROUPS = tuple(dict.fromkeys(task.group for task in TASKS))
