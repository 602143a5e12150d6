"""Tells of one run's start and end, as the settings say. It never raises, and is done within LIMIT_S."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import anyio

from orchestrator.core.verdict import Result, Verdict
from orchestrator.engine.halt import Halt
from orchestrator.errors import OrchestratorError, Overtaken
from orchestrator.ledger.reader import LedgerReader
from orchestrator.messages.metrics_file import write_metrics
from orchestrator.messages.notify import ADVICE, is_possible, notify
from orchestrator.messages.post import TRIES, Way, ping_target, send
from orchestrator.messages.tidings import Tidings, is_due, notification, shape
from orchestrator.settings import Settings
from orchestrator.settings.secret import Secret
from orchestrator.watch.history import Before, run_before
from orchestrator.watch.masks import Mask
from orchestrator.watch.names import Level, NoteName
from orchestrator.watch.text import well_formed

LIMIT_S = 40.0
"""Longest that the messages at a run's end may take: they go out side by side, three tries each."""

LEAVING_S = 3.0
"""The same for a run that was asked twice to stop."""

_LOOK_S = 0.1
_SECRET_MIN = 16  # a shorter path is no credential, and may stand in honest text
_LEFT = "the run was asked to leave, or the time for messages was over"


Letter = Callable[[], Awaitable[str]]
"""Sends one message; answers with what went wrong, or nothing."""


class Note(Protocol):
    """Writes a line into the progress log."""

    def __call__(self, name: NoteName, level: Level, /, **fields: object) -> None:
        """Write it."""
        ...


def _no_log(name: NoteName, level: Level, /, **fields: object) -> None:
    """Have no log: the run has not begun."""


def secrets_in(settings: Settings) -> tuple[str, ...]:
    """List the texts of the URLs that nothing may show: each whole, and the parts that are the credential."""
    found: list[str] = []
    for url in filter(None, (settings.ping_url, settings.webhook_url, *settings.notify_urls)):
        text = url.reveal()
        parts = urlsplit(text)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        long = (text, target, parts.path, parts.query)
        found += [part for part in (*long, parts.password or "") if len(part) >= _SECRET_MIN]
    return tuple(dict.fromkeys(found))


class Messenger:
    """One for each run. `clock` gives UTC epoch seconds; `secrets` are masked in all that is sent.

    `troubles` are, in words, what could not be sent; the same stands in the log.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float],
        environ: Mapping[str, str],
        secrets: Sequence[str] = (),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._environ = environ
        self._mask = Mask(secrets)
        self._way = Way(proxy=settings.proxy, ca_file=settings.ca_file)
        self._told: dict[tuple[str, str], str] = {}

    @property
    def troubles(self) -> list[str]:
        """Say what could not be sent, each once."""
        return list(self._told.values())

    async def begun(self, note: Note) -> None:
        """Tell that a run began: metrics and ping. May be cancelled when the run ends first."""
        self._write_metrics(note)
        if self._settings.notify_urls and self._settings.notify_on != "never" and not is_possible():
            self._tell(note, "notify", ADVICE)
        url = self._settings.ping_url
        if url is not None:
            await self._deliver("ping", partial(send, ping_target(url, "start"), self._way), note)

    async def ended(self, result: Result, *, fault: OrchestratorError | None, halt: Halt, note: Note) -> None:
        """Tell how a run ended. One that was overtaken tells nothing: the other run speaks for both."""
        if isinstance(fault, Overtaken):
            return
        self._write_metrics(note, result)
        tidings = Tidings(
            plan=result.plan,
            verdict=result.verdict,
            exit_code=result.exit_code,
            result=result,
            fault=str(fault) if fault else "",
            before=self._before(result),
        )
        await self._send(tidings, halt, note)

    async def prevented(self, plan: str, fault: OrchestratorError, halt: Halt) -> None:
        """Tell that a run could not begin; there is neither log nor result then."""
        code = fault.exit_code
        tidings = Tidings(plan=plan, verdict=Verdict.FAILED, exit_code=code, fault=str(fault))
        await self._send(tidings, halt, _no_log)

    async def _send(self, tidings: Tidings, halt: Halt, note: Note) -> None:
        """Send everything side by side, until all is done, the time is over, or somebody asks to leave."""
        letters = self._letters(tidings, tries=1 if halt.requested else TRIES)
        open_kinds = dict.fromkeys(letters)

        async def carry(kind: str, letter: Letter) -> None:
            await self._deliver(kind, letter, note)
            del open_kinds[kind]

        with anyio.move_on_after(LEAVING_S if halt.at_once else LIMIT_S) as scope:
            async with anyio.create_task_group() as watching:
                watching.start_soon(_leave_when_asked, halt, scope)
                async with anyio.create_task_group() as sending:
                    for kind, letter in letters.items():
                        sending.start_soon(carry, kind, letter)
                watching.cancel_scope.cancel()
        for kind in open_kinds:
            self._tell(note, kind, _LEFT)

    def _letters(self, tidings: Tidings, *, tries: int) -> dict[str, Letter]:
        """Prepare what is to be sent, by kind; each answers with what went wrong, or nothing."""
        settings, letters = self._settings, dict[str, Letter]()
        if settings.ping_url is not None:
            word = str(tidings.exit_code) if tidings.exit_code else ""
            letters["ping"] = partial(send, ping_target(settings.ping_url, word), self._way, tries=tries)
        if not is_due(tidings, settings.notify_on):
            return letters
        if settings.webhook_url is not None:
            letters["webhook"] = partial(self._post, settings.webhook_url, tidings, tries)
        if settings.notify_urls and ("notify", ADVICE) not in self._told:
            letters["notify"] = partial(self._notify, tidings)
        return letters

    async def _post(self, url: Secret, tidings: Tidings, tries: int) -> str:
        """Post the JSON."""
        body = json.dumps(self._mask.value(shape(tidings))).encode()
        return await send(url, self._way, body=body, tries=tries)

    async def _notify(self, tidings: Tidings) -> str:
        """Send the words."""
        title, words = map(self._mask.text, notification(tidings))
        urls, proxy = self._settings.notify_urls, self._settings.proxy
        return await notify(urls, title, words, proxy=proxy, environ=self._environ)

    async def _deliver(self, kind: str, letter: Letter, note: Note) -> None:
        """Send one message; whatever goes wrong is told, and nothing is raised but a cancellation."""
        try:
            trouble = await letter()
        except Exception as error:  # its text may hold a URL, its name does not
            trouble = f"a fault of our own ({type(error).__name__})"
        if trouble:
            self._tell(note, kind, trouble)

    def _write_metrics(self, note: Note, ended: Result | None = None) -> None:
        """Write the metrics, if they are wanted."""
        path = self._settings.metrics_file
        if path is None:
            return
        try:
            write_metrics(path, self._settings.state_dir, now=self._clock(), ended=ended)
        except OSError as error:
            self._tell(note, "metrics", f"{path} cannot be written: {error.strerror}")
        except Exception as error:  # nothing here may stop a run
            self._tell(note, "metrics", f"the ledger could not be read for them ({type(error).__name__})")

    def _before(self, result: Result) -> Before | None:
        """Look up the run of this plan before this one."""
        with suppress(Exception):  # it is told of without the change then
            reader = LedgerReader.open(self._settings.state_dir)
            if reader is not None:
                with reader:
                    return run_before(reader, result.run, result.plan)
        return None

    def _tell(self, note: Note, kind: str, trouble: str) -> None:
        """Write down once what could not be sent, and why."""
        if (kind, trouble) not in self._told:
            self._told[kind, trouble] = f"{kind} not sent: {well_formed(trouble)}"
            note("message.unsent", "warning", kind=kind, trouble=trouble)


async def _leave_when_asked(halt: Halt, scope: anyio.CancelScope) -> None:
    """End the sending when a signal comes that was not there before."""
    asked = (halt.signal, halt.at_once)
    while (halt.signal, halt.at_once) == asked:
        await anyio.sleep(_LOOK_S)
    scope.cancel()
