"""The numbers that bound a night, as the schedule needs them: seconds and counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound the schedule knows. `settings.Settings.limits()` fills it from the user's settings.

    `chunk_linger` is what a call is worth, as a share of a copy's duration; 0 waits for nothing.
    `api_requests_per_minute` is for each API by itself; None: only the bound of them all holds.
    """

    workers: int = 4
    region_copies: int = 20
    requests_per_minute: int = 600
    api_requests_per_minute: int | None = None
    poll_interval_s: float = 30.0
    chunk_linger: float = 0.11
    backoff_initial_s: float = 1.0
    backoff_max_s: float = 300.0
    quota_interval_s: float = 900.0
    copy_timeout_s: float = 6 * 3600.0
    settle_s: float = 900.0
    max_attempts: int = 20
