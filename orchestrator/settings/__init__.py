"""Settings and credentials: where they come from, which form they have. The environment is handed in.

settings     Settings, load_settings: the one door       layers     where each value came from
credentials  keys from environment, files or a profile   secret     a text that shows itself only when asked
endpoints    where a signed request may go               durations  `15m` -> seconds
"""

from orchestrator.settings.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
