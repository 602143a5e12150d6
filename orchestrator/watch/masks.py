"""The last defence: makes plain JSON values of anything, every secret masked and every text clipped."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from orchestrator.watch.text import well_formed

MASKED = "***"
LONGEST = 2000
"""Most characters of one text in the log."""

_DEEPEST = 12
_ENCODED_MIN = 8  # what base64 makes of a shorter one may stand in honest text


def _forms(secret: str) -> Iterator[str]:
    """Give the forms in which requests carry secrets: as they are, in base64 (a token), quoted (in a URL)."""
    yield secret
    if len(secret) >= _ENCODED_MIN:
        yield b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")
        yield quote(secret, safe="", errors="replace")


class Mask:
    """Masks the given secrets in any value. Never shows them itself, not even in its repr.

    The sequence may grow under way (keys are renewed): what it holds by then is masked as well.
    """

    __slots__ = ("_given", "_known", "_secrets")

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._given = secrets
        self._learn()

    def _learn(self) -> None:
        """Sort the secrets, the longest first: one may be a part of another."""
        self._known = len(self._given)
        forms = {form for secret in self._given if secret.strip() for form in _forms(secret)}
        self._secrets = tuple(sorted(forms, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"Mask({self._known} secrets)"

    def text(self, text: str) -> str:
        """Mask every secret in a text, the longest first."""
        if len(self._given) != self._known:
            self._learn()
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASKED)
        return text

    def value(self, value: object, depth: int = 0) -> object:
        """Make a JSON value of anything: texts masked, then clipped; what JSON lacks becomes its repr."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, str):
            return self._clip(str(value))
        if depth < _DEEPEST and isinstance(value, Mapping):
            return {self._clip(str(key)): self.value(held, depth + 1) for key, held in value.items()}
        if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
            return [self.value(held, depth + 1) for held in value]
        return self._clip(repr(value))

    def _clip(self, text: str) -> str:
        """Mask first, so that no half of a secret survives the cut."""
        masked = well_formed(self.text(text))
        return masked if len(masked) <= LONGEST else masked[: LONGEST - 1] + "…"
