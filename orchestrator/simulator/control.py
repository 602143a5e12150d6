"""The simulator's own routes, unsigned: read the books, delete an image, change faults and keys.

Nothing here exists in the real cloud.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.faults import FaultPlan, Rule
from orchestrator.simulator.gate import Gate
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.traits import Fates, Pace, Switches
from orchestrator.simulator.world import World


class Deletion(BaseModel):
    """The image that somebody deletes behind the client's back."""

    model_config = ConfigDict(extra="forbid")

    region: str
    image: str


class Doorkeeper(BaseModel):
    """The keys to be let in with from now on: access key -> secret."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    keys: dict[str, str]


class Weather(BaseModel):
    """What to change; what is not mentioned stays. Each part replaces the whole part of the world."""

    model_config = ConfigDict(extra="forbid")

    faults: list[Rule] | None = None
    slow_s: float | None = None
    fates: Fates | None = None
    switches: Switches | None = None
    pace: Pace | None = None
    rate_per_minute: int | None = None


M = TypeVar("M", bound=BaseModel)


def add_routes(
    app: web.Application, world: World, gate: Gate, faults: FaultPlan, clock: Callable[[], float]
) -> None:
    """Add the simulator's own routes to its application."""

    async def books(request: web.Request) -> web.Response:
        """Show the world's books, brought to this moment."""
        world.settle(clock())
        return web.json_response(world.books())

    async def delete(request: web.Request) -> web.Response:
        """Take an image and its snapshots away whatever its state."""
        wish = await _read(request, Deletion)
        try:
            known = world.remove(clock(), Region(wish.region), ImageId(wish.image))
        except Refusal as refusal:
            raise web.HTTPNotFound(text=f"{refusal.message}\n") from None
        return web.json_response({"deleted": known})

    async def change(request: web.Request) -> web.Response:
        """Change faults, fates, switches or pace."""
        apply(await _read(request, Weather), world, faults)
        return web.json_response({"changed": True})

    async def admit(request: web.Request) -> web.Response:
        """Let other keys in, and those of before no more."""
        gate.replace((await _read(request, Doorkeeper)).keys)
        return web.json_response({"changed": True})

    app.router.add_get("/_simulator/books", books)
    app.router.add_post("/_simulator/delete", delete)
    app.router.add_post("/_simulator/faults", change)
    app.router.add_post("/_simulator/keys", admit)


def apply(weather: Weather, world: World, faults: FaultPlan) -> None:
    """Change what is mentioned."""
    if weather.faults is not None:
        faults.replace(weather.faults)
    if weather.slow_s is not None:
        faults.slow_s = weather.slow_s
    world.fates = weather.fates or world.fates
    world.switches = weather.switches or world.switches
    world.pace = weather.pace or world.pace
    world.rate_per_minute = weather.rate_per_minute or world.rate_per_minute


async def _read(request: web.Request, model: type[M]) -> M:
    """Read a body, or answer 400 with what is wrong with it."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPBadRequest(text=f"{error}\n") from None
