"""Whose credentials a verb uses: those of a profile, or of the environment; they can be read again later."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.options import warn

if TYPE_CHECKING:
    from orchestrator.settings.credentials import Credentials


def credentials_of(profile: str | None) -> tuple[Credentials, Callable[[], Credentials]]:
    """Read the credentials, and return what reads them again; raises CredentialsMissing, SettingsError."""
    from orchestrator.settings.credentials import load_credentials

    source = partial(load_credentials, environ=os.environ, home=Path.home(), profile=profile)
    again = partial(source, warn=lambda message: None)  # what there is to warn of was said
    return source(warn=warn), again
