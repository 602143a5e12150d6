"""A process that writes numbered events until it is killed: `python -m tests.ledger.writer FOLDER`.

Every number is printed after `record` has returned, so each one that was printed must be found again.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from tests.ledger.samples import RUN, begun, change, open_ledger

if __name__ == "__main__":
    ledger = open_ledger(Path(sys.argv[1]))
    ledger.take_epoch()
    for number in count(1):
        moved = change(number, State.READY, Reason.COPIED)
        print(ledger.record(begun(number), [moved], run=RUN), flush=True)
