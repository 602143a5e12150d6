"""Where settings are read in tests: a working directory, a home folder, and what is written there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.settings import Settings, load_settings
from tests.canary import PASSWORD, found_in, holds

CANARY = PASSWORD
ROOT = Path(__file__).parent.parent
FIELDS = tuple(Settings.model_fields)


def variable(name: str) -> str:
    """Name a field's environment variable."""
    return f"ORCHESTRATOR_{name.upper()}"


@dataclass
class Place:
    """A working directory and a home folder, and what is written there."""

    cwd: Path
    home: Path

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if found_in(text):
            holds(path, "a settings file with a password in its proxy, or with a key that it must not have")
        path.write_text(text)
        return path

    def here(self, text: str) -> Path:
        return self.write(self.cwd / "config" / "settings.toml", text)

    def xdg(self, text: str) -> Path:
        return self.write(self.home / ".config" / "orchestrator" / "settings.toml", text)

    def load(
        self, environ: dict[str, str] | None = None, config: Path | None = None, **overrides: object
    ) -> Settings:
        return load_settings(
            environ=environ or {}, cwd=self.cwd, home=self.home, config=config, overrides=overrides
        )

    def refusal(
        self, environ: dict[str, str] | None = None, config: Path | None = None, **overrides: object
    ) -> str:
        with pytest.raises(SettingsError) as caught:
            self.load(environ, config, **overrides)
        return str(caught.value)


def make_place(folder: Path) -> Place:
    """Make both folders, empty."""
    (folder / "work").mkdir()
    (folder / "home").mkdir()
    return Place(folder / "work", folder / "home")
