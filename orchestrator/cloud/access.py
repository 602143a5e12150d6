"""What the client needs to reach one account of the cloud; handed in, nothing is read from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from orchestrator.cloud.requests import Service
from orchestrator.cloud.signing import token_value


class Hidden(Protocol):
    """A text that shows itself only when asked to."""

    def reveal(self) -> str:
        """Give the text."""
        ...


class Keys(Protocol):
    """An account's credentials. They never change; when they are renewed, others take their place."""

    @property
    def access_key(self) -> str:
        """The name of the key."""
        ...

    @property
    def secret_key(self) -> Hidden:
        """What requests are signed with."""
        ...

    @property
    def session_token(self) -> Hidden | None:
        """The token of temporary credentials, if they are."""
        ...


def _no_others(refused: Keys) -> Keys | None:
    """Know of no keys but those there are."""
    return None


def _unheard(date: str) -> None:
    """Take no note of what a server's clock shows."""


def _freely() -> None:
    """Have nothing against a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the cloud is, who asks, and what the machine lends: clock and chance.

    Endpoints are `scheme://host[:port]`. `clock` gives UTC epoch seconds, `nonce` a text that it
    never gave before. `wall` is the clock that signatures are dated by, where that is another one:
    the cloud compares with the true time, a run's own clock never steps. `proxy` may hold a password.

    `renew` is given keys that were refused and returns those to use from now on, or None.
    `before_call` is asked when the connection for a call stands, before the call's first byte;
    what it raises ends the call unsent. `hear_date` gets the Date header of every answer, "" without one.
    """

    vm_endpoint: str
    disk_endpoint: str
    keys: Keys = field(repr=False)
    clock: Callable[[], float]
    nonce: Callable[[], str]
    request_timeout_s: float = 60.0
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    wall: Callable[[], float] | None = None
    renew: Callable[[Keys], Keys | None] = _no_others
    before_call: Callable[[], object] = _freely
    hear_date: Callable[[str], object] = _unheard

    def signing_time(self) -> float:
        """Tell the time to date a signature by."""
        return self.clock() if self.wall is None else self.wall()

    def endpoint(self, service: Service) -> str:
        """Name the endpoint of a service."""
        return (self.disk_endpoint if service is Service.DISK else self.vm_endpoint).rstrip("/")

    def secrets(self, used: Sequence[Keys]) -> tuple[str, ...]:
        """List the texts that must appear in no event, longest first, each in every form it is sent in."""
        password = urlsplit(self.proxy).password or "" if self.proxy else ""
        texts = {password, unquote(password)}
        for keys in used:
            token = keys.session_token.reveal() if keys.session_token else ""
            texts |= {keys.secret_key.reveal(), token, token_value(token)}
        return tuple(sorted((text for text in texts if text), key=len, reverse=True))
