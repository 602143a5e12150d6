"""The simulated cloud over HTTP: one aiohttp application for both services, and the faults of its gateway.

Order of a request: length of its URL, signature, route, region of the signature, rate limit, bad
luck, the call itself. What lies under `/_simulator/` is for tests and people and is not signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from random import Random
from urllib.parse import unquote_plus

import anyio
from aiohttp import web

from orchestrator.simulator import control, refusals, replies, routes
from orchestrator.simulator.copying import draw_request_id
from orchestrator.simulator.faults import Fault, FaultPlan, before_effect, refusal_of
from orchestrator.simulator.gate import Caller, Gate, Incoming
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.replies import Json
from orchestrator.simulator.world import World

URI_MAX = 8192
"""Longest request target the gateway takes (official table of public error codes: 8 k)."""

LINE_MAX = 65536
"""`max_line_size` for the runner of the application: aiohttp's own limit is below what the 414 needs."""

_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Site:
    """What the handlers need: the world, its door, its bad luck and its time."""

    world: World
    gate: Gate
    faults: FaultPlan
    clock: Callable[[], float]
    ids: Random


def make_app(
    world: World,
    *,
    keys: Mapping[str, str],
    clock: Callable[[], float],
    faults: FaultPlan | None = None,
    gate: Gate | None = None,
) -> web.Application:
    """Build the application. `clock` gives epoch seconds, `keys` maps access keys to their secrets.

    Run it with `max_line_size=LINE_MAX`, or URLs over 8 k meet aiohttp's own limit first.
    """
    luck = faults or FaultPlan(Random(0))  # noqa: S311  without rules nothing comes of it
    site = Site(world, gate or Gate(keys), luck, clock, Random(clock()))  # noqa: S311  ids, no secrets
    app = web.Application(client_max_size=1024 * 1024)
    control.add_routes(app, world, site.gate, luck, clock)

    async def handle(request: web.Request) -> web.StreamResponse:
        """Answer one request to the cloud, dated by the cloud's own clock."""
        response = await _handle(site, request)
        response.headers["Date"] = formatdate(site.clock(), usegmt=True)
        return response

    app.router.add_route("*", "/{tail:.*}", handle)
    return app


async def _handle(site: Site, request: web.Request) -> web.StreamResponse:
    """Answer one request: what the world says, or the refusal, spoilt by a fault if one strikes."""
    named = draw_request_id(site.ids)
    headers = {name.lower(): value for name, value in request.headers.items()}
    incoming = Incoming(request.method, request.raw_path, headers, await request.read())
    try:
        route, ask, caller = _arrive(site, incoming)
    except Refusal as refusal:
        return _refused(site, named, refusal)
    fault = site.faults.strike(route.operation)
    try:
        site.world.admit(site.clock(), caller.access_key, route.operation)
        if fault is not None:
            return await _struck(site, request, route, ask, fault, named)
        return await _answer(site, route, ask, named)
    except Refusal as refusal:
        return _refused(site, "" if fault is Fault.NO_REQUEST_ID else named, refusal)


def _arrive(site: Site, incoming: Incoming) -> tuple[routes.Route, routes.Ask, Caller]:
    """Bring a request through the gateway: length, signature, route, region."""
    if len(incoming.target) > URI_MAX:
        raise refusals.uri_too_long()
    replays = site.world.switches.refuses_replays
    caller = site.gate.check(incoming, site.clock(), refuses_replays=replays)
    given = routes.parameters(incoming.query)
    path = unquote_plus(incoming.path)
    route, region, image = routes.find(incoming.method, path, caller.service, given)
    if caller.region != region:
        raise refusals.unauthenticated(
            "Invalid authentication credentials", f"signed for {caller.region}, sent to {region}"
        )
    return route, routes.Ask(region, image, given, incoming.body), caller


async def _answer(site: Site, route: routes.Route, ask: routes.Ask, named: str) -> web.Response:
    """Let the world act and hold the answer to copyImages back as long as it is told to."""
    result = route.call(site.world, site.clock(), ask)
    if route.operation == "copyImages":
        await anyio.sleep(site.world.pace.scaled(site.world.pace.acceptance_s))
    return web.json_response(replies.success(named, result), headers={"x-jdcloud-request-id": named})


async def _struck(
    site: Site, request: web.Request, route: routes.Route, ask: routes.Ask, fault: Fault, named: str
) -> web.StreamResponse:
    """Answer a request that meets a fault; the effect comes first where the fault says so."""
    site.world.record.faults[fault.value] += 1
    result: Json | None = None
    if not before_effect(fault):
        result = route.call(site.world, site.clock(), ask)
    refusal = refusal_of(fault, old_rate_limit=site.world.switches.old_rate_limit)
    if refusal is not None:
        raise refusal
    if fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER):
        return _hang_up(request)
    if fault is Fault.BAD_GATEWAY:
        return web.Response(status=502, text=_HTML, content_type="text/html")
    if fault is Fault.SLOW:
        await anyio.sleep(site.faults.slow_s)
    return _spoilt(replies.success(named, result), fault)


def _spoilt(reply: Json, fault: Fault) -> web.Response:
    """Send a success, cut short in the way of the fault."""
    result = reply.get("result")
    if fault is Fault.FEWER_PAIRS and isinstance(result, dict):
        result["copyImages"] = result["copyImages"][:-1]
    text = json.dumps(reply)
    if fault is Fault.TRUNCATED:
        text = text[: len(text) // 2]
    return web.Response(text=text, content_type="application/json")


def _hang_up(request: web.Request) -> web.Response:
    """Break the connection; the response is for the framework only and reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refused(site: Site, named: str, refusal: Refusal) -> web.Response:
    """Send an error envelope and count it."""
    site.world.record.refused[f"{refusal.http} {refusal.status}"] += 1
    suffix = "[gw]" if refusal.from_gateway and site.world.switches.gateway_suffix else ""
    body = replies.failure(named, refusal, suffix=suffix)
    return web.json_response(body, status=refusal.http, headers={"x-jdcloud-request-id": named})
