"""`python -m tests.walk`: walk a tiny world, print the counts; exit 1 with the way to a broken promise."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path

from tests.walk.cloud import Fault, World
from tests.walk.search import Walk


def main(argv: Sequence[str] | None = None) -> int:
    """Walk as the command line says."""
    options = _options().parse_args(argv)
    world = World(
        images=options.images,
        destinations=options.destinations,
        faults=options.faults,
        crashes=options.crashes,
        kinds=frozenset(options.kinds),
        marks=not options.markless,
        namesakes=options.namesakes,
        room=options.room,
    )
    gc.set_threshold(50_000, 20, 1000)  # each step leaves one small cycle; the states themselves stay
    began = time.monotonic()
    walk = Walk(world, whole=options.whole, seed=options.seed)
    walk.go(states=options.states, enough=lambda: time.monotonic() - began > options.seconds)
    counts = _counts(walk, time.monotonic() - began)
    command = " ".join(("python -m tests.walk", *(sys.argv[1:] if argv is None else argv)))
    print("  ".join(f"{name} {value}" for name, value in counts.items()))
    if options.json is not None:
        told = {"command": command, **counts, "broken": (walk.violation or "").partition("\n")[0]}
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    if walk.violation is not None:
        print(f"\n{walk.violation}\n\nAgain: {command}".rstrip())
    return int(walk.violation is not None)


def _options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.walk", description=__doc__)
    whole = "up to how many mishaps every state is met; more are sampled (default: 1)"
    parser.add_argument("--images", type=int, default=2, choices=range(1, 9))
    parser.add_argument("--destinations", type=int, default=2, choices=range(1, 4))
    parser.add_argument("--faults", type=int, default=2, metavar="N")
    parser.add_argument("--crashes", type=int, default=1, metavar="N")
    parser.add_argument("--whole", type=int, default=1, metavar="N", help=whole)
    parser.add_argument("--kinds", type=_kinds, default=list(Fault), help="which faults: lose,busy,...")
    parser.add_argument("--markless", action="store_true", help="the cloud stores no descriptions")
    parser.add_argument("--namesakes", action="store_true", help="the sources share one name")
    parser.add_argument("--room", type=int, default=100, metavar="N", help="each destination's image quota")
    parser.add_argument("--states", type=float, default=inf, metavar="N", help="stop after so many states")
    parser.add_argument("--seconds", type=float, default=inf, metavar="N", help="stop after so long")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="where the samples are taken")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts there too")
    return parser


def _kinds(text: str) -> list[Fault]:
    """Read a list of faults; ValueError for an unknown one."""
    return [Fault(word) for word in text.split(",")]


def _counts(walk: Walk, seconds: float) -> dict[str, object]:
    """Return what the walk came to."""
    world = walk.world
    return {
        "world": f"{world.images}x{world.destinations}",
        "faults": world.faults,
        "crashes": world.crashes,
        "states": walk.states,
        "transitions": walk.transitions,
        "depth": walk.depth,
        "ends": len(walk.ends),
        "by_mishaps": dict(sorted(walk.layers.items())),
        "whole_up_to_mishaps": walk.complete,
        "exhausted": walk.exhausted,
        "violations": int(walk.violation is not None),
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
