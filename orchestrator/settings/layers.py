"""The sources of settings: options, environment, one TOML file. Finds and names; judges no value.

A layer holds what one source says, where it says so, and which of its names nobody knows.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from orchestrator.settings.messages import locked

PREFIX = "ORCHESTRATOR_"
FILE_MAX = 1 << 20
_OPTIONS = {"state_dir": "--state-dir"}
_PATHS = frozenset({"state_dir", "ca_file", "metrics_file"})
_SECRETS = frozenset({"proxy", "ping_url", "webhook_url", "notify_urls"})
_ELSEWHERE = frozenset({"access_key", "secret_key", "session_token"})


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says: values and places by field name, and complaints about the source itself."""

    name: str
    values: Mapping[str, object]
    places: Mapping[str, str]
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folders:
    """Where this process stands: what relative paths and `~` are taken from."""

    cwd: Path
    home: Path

    def expand(self, path: str | Path) -> Path:
        """Make a path absolute; `~/` is the home folder. `~name` is left as it is."""
        text = str(path)
        if text == "~" or text.startswith("~/"):
            return self.home / text[2:]
        return Path(path) if text.startswith("~") else self.cwd / path


class Handed(PydanticBaseSettingsSource):
    """A layer as pydantic-settings wants its sources."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_cls)
        self.__name__ = layer.name  # pydantic-settings tells its sources apart by it
        self._values = layer.values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Look one field up; its text is never JSON."""
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Give every value of this source."""
        return dict(self._values)


def option_layer(overrides: Mapping[str, object], names: Iterable[str], folders: Folders) -> Layer:
    """Read what the command line gave; None means not given. One setting has an option of its own."""
    given = {key: value for key, value in overrides.items() if value is not None}
    places = {key: _OPTIONS.get(key, f"--set {key}") for key in given}
    return _layer("options", given, places, {name: name for name in names}, folders)


def environment_layer(environ: Mapping[str, str], names: Iterable[str], folders: Folders) -> Layer:
    """Read the variables with our prefix; an empty one counts as not set.

    Names in another case are unknown names, so that none is silently ignored.
    """
    fields = {PREFIX + name.upper(): name for name in names}
    given = {
        fields.get(variable, variable): value
        for variable, value in sorted(environ.items())
        if variable.upper().startswith(PREFIX) and (value or variable not in fields)
    }
    places = {key: PREFIX + key.upper() if key in fields.values() else key for key in given}
    return _layer(
        "environment", given, places, {name: variable for variable, name in fields.items()}, folders
    )


def file_layer(
    config: Path | None, environ: Mapping[str, str], names: Iterable[str], folders: Folders
) -> Layer:
    """Read the one settings file: that of --config, else the first of the usual two that is there."""
    path = _found(config, environ, folders)
    if path is None:
        return Layer("file", {}, {})
    table, complaint = _table(path)
    if complaint:
        return Layer("file", {}, {}, (f"{path}: {complaint}",))
    places = {key: f"{path}: {key}" for key in table}
    return _layer("file", table, places, {name: name for name in names}, folders)


def xdg_folder(environ: Mapping[str, str], variable: str, default: Path) -> Path:
    """Follow the XDG base directory specification: a relative or empty value is ignored."""
    text = environ.get(variable, "")
    return Path(text) if text.startswith("/") else default


def _found(config: Path | None, environ: Mapping[str, str], folders: Folders) -> Path | None:
    """Choose the file. A link that leads nowhere is there: it gets its error when it is read."""
    if config is not None:
        return folders.expand(config)
    usual = (
        folders.cwd / "config" / "settings.toml",
        xdg_folder(environ, "XDG_CONFIG_HOME", folders.home / ".config") / "orchestrator" / "settings.toml",
    )
    return next((path for path in usual if os.path.lexists(path)), None)


def _table(path: Path) -> tuple[dict[str, object], str]:
    """Read a TOML file into a table, or say what is wrong with it."""
    text = ""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX + 1)
        if len(data) > FILE_MAX:
            return {}, f"is larger than {FILE_MAX} bytes"
        text = data.decode("utf-8-sig")
        return tomllib.loads(text), ""
    except FileNotFoundError:
        return {}, "there is no such file"
    except OSError as error:
        return {}, f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return {}, "is not UTF-8"
    except (ValueError, RecursionError) as error:
        end = f"at line {text.count(chr(10)) + 1}, the end"
        return {}, "is not TOML: " + str(error).replace("at end of document", end)


def _layer(
    name: str,
    given: Mapping[str, object],
    places: Mapping[str, str],
    known: Mapping[str, str],
    folders: Folders,
) -> Layer:
    """Part known names from unknown ones. `known` has each field's name as this source writes it."""
    values = {key: _prepared(key, value, folders) for key, value in given.items() if key in known}
    unknown = [key for key in given if key not in known]
    return Layer(name, values, places, tuple(f"{places[key]}: {_unknown(key, known)}" for key in unknown))


def _prepared(name: str, value: object, folders: Folders) -> object:
    """Make a path absolute and lock a secret away before anything can print it."""
    if name in _PATHS and isinstance(value, (str, Path)) and str(value).strip():
        return folders.expand(value)
    return locked(value) if name in _SECRETS else value


def _unknown(key: str, known: Mapping[str, str]) -> str:
    """Say that nobody knows a name, and which known one is nearest."""
    plain = key.lower().replace("-", "_").removeprefix(PREFIX.lower())
    if plain in _ELSEWHERE:
        return (
            f"credentials are no setting; use the environment variable JDCLOUD_{plain.upper()} or --profile"
        )
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0)[0]
    return f"no such setting; the nearest known name is {known[near]}"
