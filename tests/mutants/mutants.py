"""The table of planted bugs: each takes one guard out of the program. Data; plants and runs nothing.

Not planted, because within the claim's condition nothing can come of it: forgetting old call ids.
A call that was settled as absent made nothing, as long as accepted copies become visible within
SETTLE_TIME; and the mark names its sources too. What a cloud does that breaks the condition is
for the audit to tell (tests/core/schedule).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Machine(Enum):
    """Who must notice a planted bug: a module that is run with arguments."""

    STORM = "tests.storm"
    WALK = "tests.walk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted bug: in `file`, which holds `old` exactly once, it becomes `new`.

    `budget` are the machine's arguments; `why` says what goes wrong because of it.
    """

    name: str
    file: str
    old: str
    new: str
    why: str
    machine: Machine = Machine.STORM
    budget: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The machine's arguments, a common number of storms where the table names none."""
        return self.budget or _STORMS


_SCHEDULE = "orchestrator/core/schedule"
_DOUBT = ("--images", "1", "--destinations", "1", "--faults", "1", "--crashes", "0")
_PAIR = ("--images", "1", "--destinations", "2", "--faults", "0", "--crashes", "0")
_STORMS = ("--seeds", "500")


def _seek(trouble: str) -> tuple[str, ...]:
    """Give storms that have this trouble, each of them: for bugs that others meet once in hundreds."""
    return ("--trouble", trouble, "--seeds", "60")


MUTANTS: tuple[Mutant, ...] = (
    # --- the answer to a call ---------------------------------------------------------------------
    Mutant(
        name="timeout-is-refusal",
        file="orchestrator/cloud/http.py",
        old="        return Reason.TIMEOUT\n",
        new="        return Reason.UNREACHABLE\n",
        why="A call that timed out may have made its copies; it is sent again at once.",
    ),
    Mutant(
        name="server-error-is-refusal",
        file="orchestrator/cloud/errors.py",
        old="        return Reason.SERVER_ERROR\n",
        new="        return Reason.UNEXPLAINED\n",
        why="A gateway that gave up says nothing about the service behind it, which did the work.",
    ),
    Mutant(
        name="lost-is-refused",
        file=f"{_SCHEDULE}/answers.py",
        old="        register.move(track, Step.LOSE, event.reason, event.detail)\n",
        new="        register.move(track, Step.REFUSE, event.reason, event.detail)\n",
        why="An unknown outcome is taken for 'surely not made', and the copy is called again.",
        machine=Machine.WALK,
        budget=_DOUBT,
    ),
    Mutant(
        name="left-out-is-refused",
        file=f"{_SCHEDULE}/answers.py",
        old="            register.move(track, Step.LOSE, Reason.INCOMPLETE)\n",
        new="            register.move(track, Step.REFUSE, Reason.INCOMPLETE)\n",
        why="A source that the answer leaves out counts as not copied although the cloud copies it.",
        machine=Machine.WALK,
        budget=_DOUBT,
    ),
    Mutant(
        name="interrupted-is-unsent",
        file="orchestrator/engine/engine.py",
        old="            self.learn(Lost(at=self._senses.clock(), call=call, reason=Reason.INTERRUPTED))\n",
        new=(
            "            now = self._senses.clock()\n"
            "            self.learn(Refused(at=now, call=call, reason=Reason.UNREACHABLE))\n"
        ),
        why="A call that a crash left open counts as never sent.",
    ),
    Mutant(
        name="quota-is-throttle",
        file="orchestrator/cloud/errors.py",
        old='    _row(429, "QUOTA_EXCEEDED", _ANY, Reason.QUOTA_IMAGE),\n',
        new='    _row(429, "QUOTA_EXCEEDED", _ANY, Reason.THROTTLED),\n',
        why="A full destination makes all calls wait a moment, and is then called again and again.",
    ),
    Mutant(
        name="throttle-is-quota",
        file="orchestrator/cloud/errors.py",
        old="    _row(429, None, _ANY, Reason.THROTTLED),\n",
        new="    _row(429, None, _ANY, Reason.QUOTA_IMAGE),\n",
        why="Too many requests in a minute close a destination as full.",
    ),
    Mutant(
        name="culprit-not-isolated",
        file=f"{_SCHEDULE}/answers.py",
        old=" if len(tracks) == 1 else tuple(track for track in tracks if track.relayed)\n",
        new="\n",
        why="One bad image fails the nine others of its call, which is refused as a whole.",
        budget=_seek("spoilt"),
    ),
    # --- settling a doubt -------------------------------------------------------------------------
    Mutant(
        name="no-settling",
        file=f"{_SCHEDULE}/doubts.py",
        old="listing.began >= track.since + register.limits.settle_s",
        new="listing.began >= track.since",
        why="A listing right after the loss is believed, before an accepted copy must be visible.",
    ),
    Mutant(
        name="settling-not-restarted",
        file=f"{_SCHEDULE}/nights.py",
        old="        track.since, track.taken_over = at, True\n",
        new="        track.taken_over = True\n",
        why="A given-up call counts as settled when the next run begins, and arrives only after that.",
        budget=_seek("held"),
    ),
    Mutant(
        name="settling-from-the-call",
        file=f"{_SCHEDULE}/answers.py",
        old="        register.move(track, Step.LOSE, event.reason, event.detail)\n",
        new=(
            "        called_at = track.since\n"
            "        register.move(track, Step.LOSE, event.reason, event.detail)\n"
            "        track.since = called_at\n"
        ),
        why="The settling time is counted from the intent, and not from the restart after a crash.",
        budget=_seek("held"),
    ),
    Mutant(
        name="one-listing",
        file=f"{_SCHEDULE}/doubts.py",
        old="_ABSENCES = 2\n",
        new="_ABSENCES = 1\n",
        why="One listing that does not show the copy is believed, though it came from a stale replica.",
        budget=_seek("stale"),
    ),
    Mutant(
        name="mark-ignored",
        file=f"{_SCHEDULE}/evidence.py",
        old="    mark = read_mark(sighting.text)\n    if mark is None:\n",
        new="    mark = None\n    if mark is None:\n",
        why="A lost copy is not recognised by its mark: it counts as absent and is made again.",
    ),
    Mutant(
        name="control-ignored",
        file=f"{_SCHEDULE}/evidence.py",
        old="    if any(image in shown for image in destination.images):\n",
        new="    if total >= 0:\n",
        why="A listing that shows nothing, for want of a permission, proves that nothing was made.",
    ),
    Mutant(
        name="lookalike-ignored",
        file=f"{_SCHEDULE}/doubts.py",
        old="        return named and not images.to(track)\n",
        new="        return named\n",
        why="Where no text tells, an image of the source's name does not keep the copy from being repeated.",
    ),
    Mutant(
        name="silence-is-absence",
        file=f"{_SCHEDULE}/doubts.py",
        old="    return evidence is Evidence.PLATFORM or (evidence is Evidence.MARK and track.marked)\n",
        new="    return True\n",
        why="Where the cloud stores no texts at all, an unrecognised copy counts as absent.",
    ),
    Mutant(
        name="old-names-forgotten",
        file=f"{_SCHEDULE}/tracks.py",
        old="                record.names.add(sighting.name)\n",
        new="                record.names = {sighting.name}\n",
        why="A source that was renamed since hides the copy that still has its old name.",
    ),
    Mutant(
        name="anybodys-words-believed",
        file=f"{_SCHEDULE}/evidence.py",
        old="    elif destination.evidence is Evidence.MARK or not track.answered:\n",
        new="    elif destination.evidence is Evidence.MARK:\n",
        why="What somebody wrote on an adopted image counts as what the region stores of our calls.",
        budget=_seek("words"),
    ),
    # --- what may be sent -------------------------------------------------------------------------
    Mutant(
        name="source-sent-twice",
        file=f"{_SCHEDULE}/tracks.py",
        old="        return self.held > 0\n",
        new="        return self.held > 99\n",
        why="The lock is ignored: one source travels to two destinations at a time.",
        machine=Machine.WALK,
        budget=_PAIR,
    ),
    Mutant(
        name="source-sent-twice-in-storms",
        file=f"{_SCHEDULE}/tracks.py",
        old="        return self.held > 0\n",
        new="        return self.held > 99\n",
        why="The same, where the cloud does not lock sources by itself.",
    ),
    Mutant(
        name="names-collide",
        file=f"{_SCHEDULE}/chunking.py",
        old="        if not self.names.isdisjoint(names):\n",
        new="        if self.names.isdisjoint(names) is None:\n",
        why="Two sources of one name share a call: its mark and their name do not tell them apart.",
        machine=Machine.WALK,
        budget=("--images", "2", "--destinations", "1", "--faults", "0", "--crashes", "0", "--namesakes"),
    ),
    Mutant(
        name="room-not-counted",
        file=f"{_SCHEDULE}/tracks.py",
        old="        own = region_copies - self.in_flight\n",
        new="        own = region_copies\n",
        why="REGION_COPIES bounds one call and not the copies under way.",
    ),
    # --- what ready copies may carry --------------------------------------------------------------
    Mutant(
        name="carrier-not-locked",
        file=f"{_SCHEDULE}/answers.py",
        old="        register.carry(track, carrier)\n",
        new="        register.carry(track, track.source)\n",
        why="A relayed call holds the lock of the original, and its carrier is sent to two places at a time.",
        budget=_seek("relay"),
    ),
    Mutant(
        name="carriers-text-unknown",
        file=f"{_SCHEDULE}/hearsay.py",
        old="    return tuple(found)\n",
        new="    return tuple(record for record in found if record.image == image)\n",
        why="A text that names a carrier means nothing: a lost relayed copy counts as absent.",
        budget=_seek("relay"),
    ),
    Mutant(
        name="carrier-fails-the-copies",
        file=f"{_SCHEDULE}/answers.py",
        old="    if track.relayed and nature in _ENDS_A_CARRIER:\n",
        new="    if track.relayed and nature not in _ENDS_A_CARRIER:\n",
        why="A carrier that somebody deleted fails all copies of its original, with which nothing is wrong.",
        budget=_seek("relay"),
    ),
    # --- when a copy is done ----------------------------------------------------------------------
    Mutant(
        name="accepted-is-ready",
        file=f"{_SCHEDULE}/lifecycle.py",
        old="    (State.CALLING, Step.ACCEPT): State.COPYING,\n",
        new="    (State.CALLING, Step.ACCEPT): State.READY,\n",
        why="An accepted copy counts as ready although nobody saw it so.",
        machine=Machine.WALK,
        budget=_PAIR,
    ),
    Mutant(
        name="adopted-is-ready",
        file=f"{_SCHEDULE}/listings.py",
        old='    if sighting.status == "ready":\n        return Step.SEE_READY, reason\n',
        new='    if sighting.status != "error":\n        return Step.SEE_READY, reason\n',
        why="A copy that is found half made counts as ready.",
    ),
    # --- the ledger -------------------------------------------------------------------------------
    Mutant(
        name="intent-after-send",
        file="orchestrator/engine/engine.py",
        old="        self._record(event, changes)\n",
        new=(
            "        self._late = [*getattr(self, '_late', ()), (event, changes)]\n"
            "        while self._late and type(event).__name__ != 'Called':\n"
            "            self._record(*self._late.pop(0))\n"
        ),
        why="An intent is written down together with the next event, when its call is on its way.",
    ),
    Mutant(
        name="epoch-unchecked",
        file="orchestrator/ledger/sqlite.py",
        old="        row = rows.write_row(event, ledger_id=self._ledger_id, seq=self._head + 1, run=run)\n",
        new=(
            "        meta = rows.read_meta(self._connection, self._path)\n"
            "        self._epoch, self._head = int(meta['epoch']), int(meta['head'])\n"
            "        row = rows.write_row(event, ledger_id=self._ledger_id, seq=self._head + 1, run=run)\n"
        ),
        why="Any epoch in the ledger is taken for one's own: who was overtaken goes on writing and sending.",
    ),
    Mutant(
        name="sent-after-being-overtaken",
        file="orchestrator/ledger/sqlite.py",
        old="_consequence):\n            self._refuse_overtaken()\n",
        new="_consequence):\n            self._connection.execute(_FENCE)\n",
        why="The ledger is not asked right before a send: who slept after the intent sends it when it wakes.",
    ),
    Mutant(
        name="tail-not-durable",
        file="orchestrator/ledger/sqlite.py",
        old="        row = rows.write_row(event, ledger_id=self._ledger_id, seq=self._head + 1, run=run)\n",
        new=(
            "        self._behind = [*getattr(self, '_behind', ()), (event, changes, run)]\n"
            "        if len(self._behind) < 2:\n"
            "            return self._head + 1\n"
            "        event, changes, run = self._behind.pop(0)\n"
            "        row = rows.write_row(event, ledger_id=self._ledger_id, seq=self._head + 1, run=run)\n"
        ),
        why="Each event is written with the next one: what was learned last is gone after a crash.",
    ),
    Mutant(
        name="tail-not-read",
        file="orchestrator/ledger/rows.py",
        old="    last = last if until is None else min(last, until)\n",
        new="    last = last - 1 if until is None else min(last, until)\n",
        why="The last event is left out when the ledger is read back.",
    ),
)
