"""A home folder to read credentials in, which holds every error to showing none of them."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.settings.credentials import Credentials, load_credentials
from tests.canary import SECRET, TOKEN, holds

CANARY = SECRET
KEY = "AKEXAMPLE"
GIVEN = {"JDCLOUD_ACCESS_KEY": KEY, "JDCLOUD_SECRET_KEY": CANARY}
__all__ = ["CANARY", "GIVEN", "KEY", "NAMES", "TOKEN", "Home"]
NAMES = ("JDCLOUD_ACCESS_KEY", "JDCLOUD_SECRET_KEY", "JDCLOUD_SESSION_TOKEN")


@dataclass
class Home:
    """A home folder, and the warnings that were given."""

    path: Path
    warnings: list[str] = field(default_factory=list)

    def load(self, environ: dict[str, str] | None = None, profile: str | None = None) -> Credentials:
        return load_credentials(
            environ=environ or {}, home=self.path, profile=profile, warn=self.warnings.append
        )

    def refusal(self, environ: dict[str, str] | None = None, profile: str | None = None) -> UsageError:
        """Load, expect an error, and hold it to the promise that no secret is in it or behind it."""
        with pytest.raises(UsageError) as caught:
            self.load(environ, profile)
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert CANARY not in shown
        assert TOKEN not in shown
        assert caught.value.__context__ is None
        return caught.value

    def file(self, content: bytes, mode: int = 0o600, name: str = "key") -> Path:
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        holds(path, "a file of credentials").write_bytes(content)
        path.chmod(mode)
        return path

    def profiles(self, text: str, mode: int = 0o600) -> Path:
        return self.file(text.encode(), mode, ".jdc/config")
