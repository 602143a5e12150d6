"""Where each setting came from, for people who wonder. It judges no value: `load_settings` has done that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.settings.layers import Folders, environment_layer, file_layer, option_layer
from orchestrator.settings.settings import Settings


def origins(
    *,
    environ: Mapping[str, str],
    cwd: Path,
    home: Path,
    config: Path | None,
    overrides: Mapping[str, object],
) -> dict[str, str]:
    """Name the place of every setting that was given: an option, a variable, a name in a file.

    The arguments are those of `load_settings`, which must have accepted them.
    """
    names, folders = tuple(Settings.model_fields), Folders(cwd, home)
    layers = (
        option_layer(overrides, names, folders),
        environment_layer(environ, names, folders),
        file_layer(config, environ, names, folders),
    )
    return {
        name: next(layer.places[name] for layer in layers if name in layer.values)
        for name in names
        if any(name in layer.values for layer in layers)
    }
