"""A text that is never shown: only `reveal()` gives it out. Knows nothing of where secrets come from."""

from __future__ import annotations

from typing import NoReturn

STARS = "**********"


class Secret:
    """Hold one secret; every way of printing it gives stars, and it refuses to be pickled or deep-copied.

    Not a dataclass: `asdict` and the dataclass repr would walk into it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text out. Call it where the text is used (signer, connector), nowhere else."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret('{STARS}')"

    def __str__(self) -> str:
        return STARS

    def __format__(self, spec: str) -> str:
        return format(STARS, spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse pickle, `copy` and `dataclasses.asdict`: each would make a plain text of it."""
        raise TypeError("a secret is not pickled or copied")
