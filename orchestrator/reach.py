"""The way to the cloud by the settings, for a run and for those who only look. It reads no settings file."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.cloud.access import Access
from orchestrator.engine.clock import Clock
from orchestrator.machine import Machine
from orchestrator.settings import Settings
from orchestrator.settings.credentials import Credentials


def access_for(
    settings: Settings,
    credentials: Credentials,
    machine: Machine,
    *,
    hear_date: Callable[[str], object] = lambda date: None,
) -> Access:
    """Say where the cloud is and who asks; `hear_date` gets the Date header of every answer."""
    return Access(
        vm_endpoint=settings.vm_endpoint,
        disk_endpoint=settings.disk_endpoint,
        keys=credentials,
        clock=Clock(wall=machine.wall, monotonic=machine.monotonic),
        wall=machine.wall,
        nonce=lambda: machine.token(32),
        request_timeout_s=settings.request_timeout,
        proxy=settings.proxy.reveal() if settings.proxy else None,
        ca_file=settings.ca_file,
        hear_date=hear_date,
    )
