"""The keys that a run signs with, read again when the cloud refuses them. It sends nothing and shows nothing.

Temporary keys end in the middle of a night; whoever renews them writes them into the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.errors import OrchestratorError
from orchestrator.settings.credentials import Credentials, secrets_of

CHANGES_MAX = 24
"""Changes of keys that one ring takes part in: temporary keys live an hour or so, a night is shorter."""

_READS_MAX = 3


class Keyring:
    """Holds the keys in use. `reread` loads them again from where they came from; None: they never change.

    `besides` are other texts that nothing may show.
    """

    def __init__(
        self,
        keys: Credentials,
        reread: Callable[[], Credentials] | None = None,
        *,
        besides: Sequence[str] = (),
    ) -> None:
        self.keys = keys
        self._reread = reread
        self._refused: set[object] = set()
        self._secrets = [*secrets_of(keys), *besides]

    @property
    def secrets(self) -> Sequence[str]:
        """The texts that nothing may show, those of former keys too; it grows when keys are read again."""
        return self._secrets

    def renew(self, refused: object) -> Credentials | None:
        """Return other keys than those refused, None where there are none.

        Once for each keys refused the source is read again: any number of requests may have been
        under way with them. Keys that were refused before never come back, and a source that
        cannot be read, or not safely, counts as unchanged.
        """
        if refused != self.keys:
            return None if self.keys in self._refused else self.keys
        if refused in self._refused or len(self._refused) >= CHANGES_MAX:
            return None
        self._refused.add(refused)
        found = self._read()
        if found is None or found in self._refused:
            return None
        self.keys = found
        return found

    def _read(self) -> Credentials | None:
        """Read key, secret and token until two reads agree: they may lie in files that change one by one."""
        if self._reread is None:
            return None
        found: Credentials | None = None
        for _ in range(_READS_MAX):
            try:
                again = self._reread()
            except OrchestratorError:
                return None
            self._secrets += [text for text in secrets_of(again) if text not in self._secrets]
            if again == found:
                break
            found = again
        return found
