"""`orchestrator --version`, for scripts that ask at every turn: says it without loading anything else."""

from __future__ import annotations

from contextlib import suppress

from orchestrator import __version__
from orchestrator.cli.streams import prepare_streams, stdout_trouble


def say_version() -> int:
    """Print the version as the command line does; return the exit code."""
    prepare_streams()
    with suppress(OSError):
        print(f"orchestrator {__version__}")
    trouble = stdout_trouble()
    if trouble is None:
        return 0
    from orchestrator.cli.main import untold

    return untold(trouble)
