"""Writes a report where it was asked for: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file; whoever reads meanwhile sees the old one or the new one.

    Into a pipe or a device it is just written. The new file may be read by whom the umask allows: a
    report is made to be shown. Raises OSError; what was there is still there then.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    draft = target.with_name(f".{target.name[:200]}.{token_hex(4)}.new")
    try:
        with open(os.open(draft, _NEW, 0o666), "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
