"""The last defence: makes plain JSON values of anything, every secret masked and every text clipped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

MASKED = "***"
LONGEST = 2000
"""Most characters of one text in the log."""

_DEEPEST = 12


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
        self._secrets = tuple(sorted({s for s in self._given if s.strip()}, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"Mask({len(self._secrets)} secrets)"

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
        masked = self.text(text)
        return masked if len(masked) <= LONGEST else masked[: LONGEST - 1] + "…"
