"""Who spoiled a refused call that named nobody: its images are suspects until accepted, or one is left.

Both halves of a refused call at once would be two calls for each halving. Here one half is tried,
and the answer says the same of the other: accepted, and the culprit is among the rest; refused, and
the rest stand aside and travel together once it is found. The last one left is blamed without a
call of its own. So one culprit among n images costs 1 + ceil(log2 n) calls more than the good ones
alone would have needed. When those who stood aside are refused as well there is a second one, found
the same way; then, or where few are left, halving does not pay any more and each is tried by itself,
so that no refused call costs more than twice its images, whoever is to blame.

It sends nothing and moves no copy: `answers` does what it says, `chunking` asks who travels next.
"""

from __future__ import annotations

from orchestrator.core.messages import Refused
from orchestrator.core.model import CHUNK_MAX, State
from orchestrator.core.schedule.carrying import may_be_called
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Source, Suspects, Track

_PAYS = 6
"""Fewest images among which it pays to look for a second culprit by halving."""


def suspect(sources: tuple[Source, ...], refusal: Refused) -> None:
    """Know that one of these images spoiled a call; the others of their group stand aside."""
    if not sources:
        return
    narrowed, group = set(sources), Suspects(sources, refusal=refusal)
    for old in _groups(sources):
        if narrowed.issubset(old.among):
            group.aside = tuple(source for source in (*old.aside, *old.among) if source not in narrowed)
            group.one_by_one, group.second = old.one_by_one, old.second
        else:
            group.one_by_one, group.second = old.second or len(sources) < _PAYS, True
            _strike_off(old, narrowed)
    _assemble(group)


def suspect_alone(source: Source) -> None:
    """Let an image travel alone until it is accepted: nothing was refused, but something is odd."""
    dismiss(source)
    source.suspects = Suspects((source,))


def dismiss(source: Source) -> None:
    """Take an image out of its group because it was given up; whether it was the culprit is not known."""
    if source.suspects is not None:
        source.suspects.refusal = None
        _strike_off(source.suspects, {source})
        source.suspects = None


def clear(sources: tuple[Source, ...]) -> list[tuple[Source, Refused]]:
    """Lift the suspicion from the images of an accepted call.

    Returns the images to blame because they alone are left, each with the refusal that it caused.
    """
    groups, found = _groups(sources), list[tuple[Source, Refused]]()
    for group in groups:
        several = len(group.among) > 1
        _strike_off(group, set(sources))
        if several and len(group.among) == 1 and group.refusal is not None:
            found.append((group.among[0], group.refusal))
            _assemble(group)
    for source in sources:
        source.suspects = None
    return found


def _assemble(group: Suspects) -> None:
    """Put the images of a group into it; when the culprit is known, who stood aside goes on without it."""
    if len(group.among) == 1:
        rest = Suspects((), group.aside, second=group.second, one_by_one=group.one_by_one)
        group.aside = ()
        for source in rest.aside:
            source.suspects = rest
    for source in (*group.among, *group.aside):
        source.suspects = group


def _groups(sources: tuple[Source, ...]) -> list[Suspects]:
    """Return the groups that some images are in, each once."""
    groups = {id(s.suspects): s.suspects for s in sources if s.suspects is not None}
    return list(groups.values())


def _strike_off(group: Suspects, sources: set[Source]) -> None:
    """Take images off a group's lists."""
    group.among = tuple(source for source in group.among if source not in sources)
    group.aside = tuple(source for source in group.aside if source not in sources)


def company(register: Register, first: Track) -> list[Track]:
    """Say which suspects of this one's group travel next on its route: half of those who may be to blame.

    Nobody while another call of theirs is on its way: its answer may say all that there is to know.
    Those who stand aside travel when none of the others can.
    """
    group = first.source.suspects
    if group is None or any(map(_on_its_way, (*group.among, *group.aside))):
        return []
    most = 1 if group.one_by_one else CHUNK_MAX
    half = min(most, (len(group.among) + 1) // 2)
    return _free(register, first, group.among)[:half] or _free(register, first, group.aside)[:most]


def _on_its_way(source: Source) -> bool:
    """Tell whether a call with this image is handed out or sent, and not answered."""
    return any(t.reserved and t.state in (State.WAITING, State.CALLING) for t in source.tracks)


def _free(register: Register, first: Track, sources: tuple[Source, ...]) -> list[Track]:
    """Return the copies of these images to the first one's destination that may be called now."""
    free = (source for source in sources if not source.locked)
    there = (t for source in free for t in source.tracks if t.destination is first.destination)
    return [t for t in there if may_be_called(t) and t.eligible_at <= register.now]
