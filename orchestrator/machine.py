"""What the machine lends to the program: clocks, chance, its name, its environment."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def since_start() -> float:
    """Count seconds that never go backwards, those of a suspended machine too where the system counts them.

    Python's own monotonic clock stands still while a Linux machine is suspended.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The real machine by default; tests lend their own. `wall` gives UTC epoch seconds."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = since_start
    chance: random.Random = field(default_factory=random.SystemRandom)
    host: str = field(default_factory=socket.gethostname)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def token(self, length: int) -> str:
        """Make an id of letters and digits, five bits each."""
        return "".join(self.chance.choice(_LETTERS) for _ in range(length))
