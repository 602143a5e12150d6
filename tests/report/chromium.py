"""A headless Chromium that a test drives over the DevTools protocol. No test is here."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
    "--hide-scrollbars",
)  # fmt: skip
_ADDRESS = re.compile(r"DevTools listening on (ws://\S+)")


class Tab:
    """One page: what it is told, and all that it says and asks for by itself."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._session: str | None = None
        self.said: list[str] = []
        self.asked: list[str] = []
        self._events: list[str] = []

    async def call(self, method: str, **parameters: object) -> Any:
        """Send one command and return its result; what happens meanwhile is noted."""
        self._number += 1
        command: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        await self._socket.send_str(json.dumps(command))
        while (message := await self._next()).get("id") != self._number:
            pass
        assert "error" not in message, message
        return message["result"]

    async def _next(self) -> dict[str, Any]:
        """Take in one message; note complaints and requests."""
        message: dict[str, Any] = json.loads((await self._socket.receive(timeout=30)).data)
        method, about = message.get("method", ""), message.get("params", {})
        self._events.append(method)
        if method == "Network.requestWillBeSent":
            self.asked.append(about["request"]["url"])
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.said.append(json.dumps(about))
        return message

    async def attach(self) -> None:
        """Open an empty page and listen to it."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self._events.clear()
        await self.call("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in self._events:
            await self._next()

    async def tell(self, expression: str) -> Any:
        """Evaluate an expression in the page, promises awaited; return its value."""
        found = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def press(self, key: str) -> None:
        """Press and let go of a key."""
        more = {"text": "\r", "windowsVirtualKeyCode": 13} if key == "Enter" else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **more)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    async def settle(self) -> None:
        """Wait until the page has drawn what it was told to draw."""
        await self.tell("new Promise((go) => setTimeout(() => requestAnimationFrame(() => go()), 150))")


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Tab]:
    """Run Chromium with an empty profile in a folder, as long as the block lasts."""
    assert PROGRAM is not None
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TZ": "Asia/Shanghai"}
    log = folder / "chromium.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [PROGRAM, *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stderr=errors, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environ,
        ) as process,
    ):  # fmt: skip
        try:
            address = await _address(log)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                tab = Tab(socket)
                await tab.attach()
                yield tab
        finally:
            process.terminate()
            process.wait(timeout=10)


async def _address(log: Path) -> str:
    """Wait until Chromium says where it listens."""
    for _ in range(600):
        found = _ADDRESS.search(log.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
        await asyncio.sleep(0.05)
    raise AssertionError(f"Chromium does not start: {log.read_text(encoding='utf-8', errors='replace')}")
