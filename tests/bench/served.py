"""`python -m tests.bench.served`: a night's cloud over HTTP, until the process is ended. Measures nothing.

The simulator's own server around the benchmark's world, so that real programs meet exactly the night
that the policies meet in virtual time, at the same speed.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from random import Random

import anyio

from orchestrator.simulator.faults import FaultPlan
from orchestrator.simulator.furnish import Simulation
from orchestrator.simulator.program import serve
from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET
from tests.bench.cloudscape import Cloudscape
from tests.bench.nights import KINDS, Night


def main() -> None:
    """Serve the night that the command line names, at a free port, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.served", description=__doc__)
    parser.add_argument("--kind", choices=list(KINDS), default="uniform")
    for name, usual in (("destinations", 3), ("images", 100), ("seed", 1), ("speed", 60)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    wish = parser.parse_args()
    night = Night(KINDS[wish.kind], wish.destinations, wish.images, wish.seed, wish.speed)
    simulation = Simulation(Cloudscape(night), FaultPlan(Random(wish.seed)), {DEMO_KEY: DEMO_SECRET})
    serving = partial(
        serve, simulation, host="127.0.0.1", port=0, clock=time.time, announce=partial(print, flush=True)
    )
    anyio.run(serving)


if __name__ == "__main__":
    main()
