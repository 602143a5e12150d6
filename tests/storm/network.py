"""Who is connected to whom, and the faults on the way: refused, reset, cut, late, silent, dripping, garbage.

Every draw depends on which task of which process asks, when, and for which request of its
connection, never on what else happened: two tasks that ask at one moment may do so in any order.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import Context, copy_context
from random import Random

from tests.storm.mischief import CALM, Fate, Mischief, Weather, draw
from tests.storm.simloop import OWNER, Owner, SimLoop
from tests.storm.wires import Plug

_METHODS = (b"GET ", b"POST ")
_DRIP_BYTES = 400
"""Dripping bytes that are played one by one; a call has long timed out or the rest comes at once."""


class Network:
    """All wires of a night. `serve` makes the server's end of a new connection."""

    def __init__(self, loop: SimLoop, seed: str, serve: Callable[[], asyncio.Protocol]) -> None:
        self.loop = loop
        self.seed = seed
        self.serve = serve
        self.weather: Weather = CALM
        self.holds = False
        self.world = copy_context()
        self.on_post: Callable[[Owner, bytes], None] = lambda owner, data: None
        self.faults: Counter[str] = Counter()
        self.posting: Counter[str] = Counter()
        self.peak_posting: Counter[str] = Counter()
        self._links: dict[Link, Owner | None] = {}
        self._adrift: list[Link] = []
        self._held: list[bytes] = []
        self._kills = 0

    def chance(self, purpose: str, number: int | str) -> Random:
        """Make the chance of one thing that happens on the network."""
        return Random(f"{self.seed}/{purpose}/{number}")

    def here(self) -> str:
        """Tell who asks, and when."""
        task, owner = asyncio.current_task(), OWNER.get()
        return f"{owner.name if owner else ''}/{task.get_name() if task else ''}/{self.loop.time()!r}"

    # --- the harbour ------------------------------------------------------------------------------

    def resolve(self, host: str) -> bool:
        """Tell whether the name is found now."""
        found = self.chance("name", repr(self.loop.time())).random() >= self.weather.dial / 2
        self.faults["name"] += not found
        return found

    async def dial(self, address: object) -> None:
        """Connect, or be refused, or wait in vain."""
        chance = self.chance("dial", self.here())
        await asyncio.sleep(chance.uniform(0.001, 0.1))
        if chance.random() >= self.weather.dial:
            return
        if chance.random() < 0.5:
            self.faults["refused"] += 1
            raise ConnectionRefusedError(111, "Connection refused")
        self.faults["unreachable"] += 1
        await asyncio.sleep(3600)

    def join(self, protocol: asyncio.BaseProtocol) -> asyncio.Transport:
        """Tie a client's protocol to a new one of the server's; return the client's end."""
        owner = OWNER.get()
        link = Link(self, self.here(), owner, copy_context())
        self._links[link] = owner
        link.server.begin(self.serve())
        link.client.begin(protocol)
        return link.client

    # --- what links report ------------------------------------------------------------------------

    def posts(self, link: Link, data: bytes) -> None:
        """Count a call that begins to be sent."""
        owner = link.owner
        if owner is not None:
            self.posting[owner.name] += 1
            self.peak_posting[owner.name] = max(self.peak_posting[owner.name], self.posting[owner.name])
            self.on_post(owner, data)

    def closed(self, link: Link, *, posting: bool) -> None:
        """Forget a connection whose client left; what is on its way there travels on."""
        self._links.pop(link, None)
        self._adrift += [link] if self.holds else []
        if posting and link.owner is not None:
            self.posting[link.owner.name] -= 1

    def kill(self, owner: Owner) -> None:
        """Cut off a process that died; what it had written may still arrive, perhaps late.

        A network that `holds` keeps its calls back, also those that it had given up, until `let_go`.
        """
        own = [link for link, whose in self._links.items() if whose is owner]
        if self.holds:
            adrift = [link for link in self._adrift if link.owner is owner]
            self._held += [data for link in (*adrift, *own) for data in link.intercepted()]
        for link in own:
            self._kills += 1
            link.orphan(self.chance("orphan", self._kills))
            del self._links[link]

    def let_go(self, late_s: float) -> None:
        """Let the calls that were kept back arrive in a while, from nobody who waits for an answer."""
        for data in self._held:
            self.faults["held"] += 1
            link = Link(self, "held", None, self.world.copy())
            link.forward(self.serve(), data, late_s)
        self._held = []


class Link:
    """One connection: two plugs, and the mischief of the request that is on it."""

    def __init__(self, network: Network, name: str, owner: Owner | None, context: Context) -> None:
        self.owner = owner
        self._network = network
        self._name = name
        self._requests = 0
        self._mischief = Mischief()
        self._posting = self._broken = self._spoilt = False
        self._upstream: list[tuple[asyncio.TimerHandle, bytes]] = []
        self.client = Plug(network.loop, context, self._ask)
        self.server = Plug(network.loop, network.world.copy(), self._answer)
        self.client.on_closed = self._client_left
        self.server.on_closed = self._server_left

    # --- the way there ----------------------------------------------------------------------------

    def _ask(self, data: bytes) -> None:
        """Carry what the client wrote, as far as the mischief lets it."""
        if data.startswith(_METHODS):
            self._next_request(data)
        fate, mischief = self._mischief.request, self._mischief
        if self._broken or fate is Fate.SILENT:
            return
        if fate is Fate.DROPPED:
            self._break(mischief.request_s, mischief.hard)
        elif fate is Fate.CUT:
            self._send(data[: int(len(data) * mischief.share)], mischief.request_s)
            self._break(mischief.request_s, mischief.hard)
        else:
            self._send(data, mischief.request_s)

    def _next_request(self, data: bytes) -> None:
        """Draw the mischief of a new request."""
        network, post = self._network, data.startswith(b"POST ")
        self._requests += 1
        chance = network.chance(f"link/{self._name}", self._requests)
        self._mischief, self._spoilt = draw(chance, network.weather, post=post), False
        if network.weather.is_dark(data[:200], network.loop.time()):
            self._mischief = Mischief(request=Fate.SILENT)
        for way, fate in (("request", self._mischief.request), ("answer", self._mischief.answer)):
            network.faults[f"{way} {fate.value}"] += fate is not Fate.WHOLE
        if post:
            self._posting = True
            network.posts(self, data)

    def _send(self, data: bytes, delay_s: float) -> None:
        """Put bytes on the way to the server, and remember them while they travel."""
        now = self._network.loop.time()
        self._upstream = [(handle, sent) for handle, sent in self._upstream if handle.when() > now]
        if data:
            self._upstream.append((self.server.deliver(data, delay_s), data))

    # --- the way back -----------------------------------------------------------------------------

    def _answer(self, data: bytes) -> None:
        """Carry what the server wrote, as far as the mischief lets it."""
        fate, mischief = self._mischief.answer, self._mischief
        if self._broken or fate is Fate.SILENT:
            return
        if fate is Fate.WHOLE:
            self.client.deliver(data, mischief.answer_s)
        elif fate is Fate.DRIP:
            self._drip(data, mischief)
        elif not self._spoilt:
            self._spoilt = True
            spoilt = mischief.garbage if fate is Fate.GARBAGE else data[: int(len(data) * mischief.share)]
            if fate is not Fate.DROPPED and spoilt:
                self.client.deliver(spoilt, mischief.answer_s)
            if fate is not Fate.GARBAGE or mischief.hard:
                self._break(mischief.answer_s, mischief.hard)

    def _drip(self, data: bytes, mischief: Mischief) -> None:
        """Let an answer arrive byte by byte."""
        for at in range(min(len(data), _DRIP_BYTES)):
            self.client.deliver(data[at : at + 1], mischief.answer_s + at * mischief.drip_s)
        self.client.deliver(data[_DRIP_BYTES:], mischief.answer_s + _DRIP_BYTES * mischief.drip_s)

    # --- ends -------------------------------------------------------------------------------------

    def _break(self, delay_s: float, hard: bool) -> None:
        """Break the connection for both ends."""
        self._broken = True
        self.client.end(delay_s, ConnectionResetError(104, "Connection reset by peer") if hard else None)
        self.server.end(delay_s, ConnectionResetError(104, "Connection reset by peer") if hard else None)

    def _client_left(self, hard: bool) -> None:
        """Let the server see that the client is gone."""
        self._network.closed(self, posting=self._posting)
        self._posting = False
        if not self._broken and not self.client.severed:
            self.server.end(self._mischief.request_s, ConnectionResetError() if hard else None)

    def _server_left(self, hard: bool) -> None:
        """Let the client see that the server is gone."""
        if not self._broken and not self.client.severed:
            self.client.end(self._mischief.answer_s, ConnectionResetError() if hard else None)

    def intercepted(self) -> list[bytes]:
        """Stop the call that is on its way to the server, if one is, and return what it says."""
        now = self._network.loop.time()
        travelling = [(handle, data) for handle, data in self._upstream if handle.when() > now]
        call = b"".join(data for _, data in travelling)
        if not call.startswith(b"POST ") or self._mischief.request is Fate.CUT:
            return []
        for handle, _ in travelling:
            handle.cancel()
        self._upstream = []
        return [call]

    def forward(self, protocol: asyncio.Protocol, data: bytes, late_s: float) -> None:
        """Bring a call to the server in the place of a client that is gone."""
        self.client.severed, self._mischief = True, Mischief(answer=Fate.SILENT)
        self.server.begin(protocol)
        self.server.deliver(data, late_s)
        self.server.end(late_s, ConnectionResetError())

    def orphan(self, chance: Random) -> None:
        """Go on without the client's process: what is under way arrives in time, late, or never."""
        self.client.severed = True
        fate, late_s = chance.randrange(3), chance.random() * self._network.weather.delay_max_s
        now = self._network.loop.time()
        for handle, data in self._upstream:
            if fate and handle.when() > now:
                handle.cancel()
                if fate == 1:
                    self.server.deliver(data, late_s)
        self.server.end(0.01, ConnectionResetError())
