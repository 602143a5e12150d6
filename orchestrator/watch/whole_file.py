"""Puts data in the place of a file, whole or not at all: a reader sees the old or the new one, never half."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def put_whole(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Replace a file; with a `mode` it gets just that, else what the umask leaves.

    The draft beside it has a name that ends in .new. Raises OSError; what was there is still there then.
    """
    draft = path.with_name(f".{path.name[:200]}.{token_hex(4)}.new")
    try:
        with open(os.open(draft, _NEW, 0o666 if mode is None else mode), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
