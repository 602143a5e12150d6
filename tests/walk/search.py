"""The walk: every state that can be reached, each one once, and the way to one that breaks a promise.

With up to `whole` mishaps (faults and crashes together) every state is met, shortest ways first, and
from each of them an end must be in reach without anything more going wrong. What more mishaps lead to
is too much to be met whole; it is sampled by dives: from a chance place, on and on to what is new.
"""

from __future__ import annotations

import pickle
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from random import Random

from tests.walk.cloud import World
from tests.walk.moves import Move, Node, enabled, in_words
from tests.walk.promises import PROMISES, Promise, broken
from tests.walk.sameness import Lens, key
from tests.walk.stepping import System, cloud_only, first, move_on, packed, unpack

_PLACES = 20_000
"""Places from which dives begin: more would only fill the memory."""


@dataclass(slots=True)
class Stand:
    """A state that was met.

    `memory` is its pickled schedule, `schedule` the digest of what that says, `number` its place
    in the count.
    """

    node: Node
    memory: bytes
    schedule: bytes
    number: int
    depth: int


@dataclass
class Walk:
    """One walk and what it found.

    `complete` is up to how many mishaps no state was left out, -1 when the bound came earlier;
    `dropped` counts places that no dive began from; `layers` counts states by their mishaps;
    `violation` is a broken promise with the way to it.
    `parents` and `moves` lead back from each state; `links` are the moves without mishap, from and to.
    """

    world: World
    whole: int = 1
    seed: int = 0
    promises: tuple[Promise, ...] = PROMISES
    transitions: int = 0
    depth: int = 0
    complete: int = -1
    dropped: int = 0
    violation: str | None = None
    layers: Counter[int] = field(default_factory=Counter)
    ends: list[int] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)
    parents: array[int] = field(default_factory=lambda: array("q"))
    moves: list[Move | None] = field(default_factory=list)
    links: tuple[array[int], array[int]] = field(default_factory=lambda: (array("q"), array("q")))

    def __post_init__(self) -> None:
        self.whole = min(self.whole, self.world.faults + self.world.crashes)
        self._chance = Random(self.seed)

    @property
    def states(self) -> int:
        """How many different states were met."""
        return len(self.moves)

    @property
    def exhausted(self) -> bool:
        """Tell whether no state at all was left out."""
        return self.complete == self.world.faults + self.world.crashes

    def go(self, *, states: float = inf, enough: Callable[[], bool] = lambda: False) -> Walk:
        """Walk until every state was met, a promise is broken, or a bound is reached."""

        def over() -> bool:
            return self.states >= states or enough()

        try:
            places = self._walk_whole(over)
            if places:
                self._seek_ends()
                self._dive(places, over)
        except _Found as found:
            self.violation = f"{found}\n{self._way(found.number, found.move)}"
        return self

    def _walk_whole(self, over: Callable[[], bool]) -> list[Stand]:
        """Meet every state with up to `whole` mishaps; return places from which more can go wrong."""
        queues: list[deque[Stand]] = [deque() for _ in range(self.whole + 1)]
        queues[0].append(self._begin())
        places: list[Stand] = []
        for mishaps, queue in enumerate(queues):
            last = mishaps == self.whole
            while queue:
                if over():
                    return []
                stand = queue.popleft()
                for new in self._expand(stand, mishaps=not last):
                    queues[self._mishaps(new)].append(new)
                if last:
                    self._keep(places, stand)
            self.complete = mishaps
        return places

    def _keep(self, places: list[Stand], stand: Stand) -> None:
        """Keep a place for a dive; when there are too many, a chance one gives way."""
        if len(places) < _PLACES:
            places.append(stand)
        else:
            places[self._chance.randrange(_PLACES)] = stand
            self.dropped += 1

    def _dive(self, places: list[Stand], over: Callable[[], bool]) -> None:
        """Sample what more mishaps lead to: follow what is new until nothing is, then begin elsewhere."""
        while places and not over():
            at = self._chance.randrange(len(places))
            places[at], places[-1] = places[-1], places[at]
            stand: Stand | None = places.pop()
            while stand is not None and not over():
                new = list(self._expand(stand, mishaps=True))
                self._chance.shuffle(new)
                stand = new.pop() if new else None
                for other in new:
                    self._keep(places, other)
        if not places and not self.dropped and not over():
            self.complete = self.world.faults + self.world.crashes

    # --- one state ------------------------------------------------------------------------------------

    def _begin(self) -> Stand:
        """Meet the first state."""
        system = first(self.world)
        node = packed(system, self.world.faults, self.world.crashes)
        schedule = Lens(node.now).schedule(system.schedule)
        stand = Stand(node, _memory(system), schedule, 0, 0)
        self._note(key(node, schedule), -1, None)
        self._judge(system, stand)
        return stand

    def _expand(self, stand: Stand, *, mishaps: bool) -> Iterator[Stand]:
        """Make the moves that a state allows; return the states that are new."""
        for move in enabled(self.world, stand.node):
            if move.mishap and not mishaps:
                continue
            try:
                after = self._after(stand, move)
            except Exception as error:  # whatever a rule raises is a broken promise
                raise _Found(f"{type(error).__name__}: {error}", stand.number, move) from error
            if after is not None:
                yield from self._meet(stand, move, *after)

    def _meet(self, stand: Stand, move: Move, node: Node, system: System | None) -> Iterator[Stand]:
        """Count a state that a move led to; return it if it is new."""
        schedule = Lens(node.now).schedule(system.schedule) if system else stand.schedule
        name = key(node, schedule)
        number = self.numbers.get(name)
        self.transitions += 1
        if not move.mishap:
            self.links[0].append(stand.number)
            self.links[1].append(self.states if number is None else number)
        if number is None:
            memory = _memory(system) if system else stand.memory
            new = Stand(node, memory, schedule, self.states, stand.depth + 1)
            self._note(name, stand.number, move)
            self._judge(system or unpack(self.world, node, memory), new)
            yield new

    def _after(self, stand: Stand, move: Move) -> tuple[Node, System | None] | None:
        """Make one move; what concerns only the cloud needs no schedule."""
        node = stand.node
        cloud = cloud_only(self.world, node, move)
        faults, crashes = node.faults - (move.fault is not None), node.crashes - move.is_crash
        if cloud is not None:
            return replace(node, cloud=cloud, faults=faults), None
        system = unpack(self.world, node, stand.memory)
        return (packed(system, faults, crashes), system) if move_on(system, move) else None

    def _mishaps(self, stand: Stand) -> int:
        """Count what went wrong on the way to a state."""
        return self.world.faults + self.world.crashes - stand.node.faults - stand.node.crashes

    def _note(self, name: bytes, parent: int, move: Move | None) -> None:
        """Count a new state."""
        self.numbers[name] = self.states
        self.parents.append(parent)
        self.moves.append(move)

    def _judge(self, system: System, stand: Stand) -> None:
        """Hold a new state against every promise."""
        self.depth = max(self.depth, stand.depth)
        self.layers[self._mishaps(stand)] += 1
        if stand.node.finished:
            self.ends.append(stand.number)
        words = broken(system, self.promises)
        if words is not None:
            raise _Found(words, stand.number, None)

    # --- looking back ---------------------------------------------------------------------------------

    def _seek_ends(self) -> None:
        """Make sure that an end of the run is in reach from every state met so far."""
        before: list[list[int]] = [[] for _ in range(self.states)]
        for start, end in zip(*self.links, strict=True):
            before[end].append(start)
        reached, queue = bytearray(self.states), list(self.ends)
        while queue:
            number = queue.pop()
            if not reached[number]:
                reached[number] = 1
                queue.extend(before[number])
        trapped = reached.find(0)
        if trapped >= 0:
            raise _Found("ends: from here no end of the run is in reach", trapped, None)

    def _way(self, number: int, last: Move | None) -> str:
        """Tell, move by move, how a state is reached from the first one."""
        moves = [last] if last else []
        while number > 0:
            move = self.moves[number]
            moves += [move] if move else []
            number = self.parents[number]
        return "\n".join(self._retold(moves[::-1]))

    def _retold(self, moves: list[Move]) -> Iterator[str]:
        """Make the moves once more and put each into words."""
        start = first(self.world)
        node, memory = packed(start, self.world.faults, self.world.crashes), _memory(start)
        for count, move in enumerate(moves, 1):
            yield f"{count:4}. {in_words(node, move)}"
            after = self._after(Stand(node, memory, b"", 0, 0), move) if count < len(moves) else None
            if after is not None:
                node, system = after
                memory = _memory(system) if system else memory


class _Found(Exception):
    """A promise is broken in state `number`, or by `move` out of it."""

    def __init__(self, words: str, number: int, move: Move | None) -> None:
        super().__init__(words)
        self.number, self.move = number, move


def _memory(system: System) -> bytes:
    """Pack the schedule of a state."""
    return pickle.dumps(system.schedule, pickle.HIGHEST_PROTOCOL)
