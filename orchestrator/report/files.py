"""Writes a report where it was asked for: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from orchestrator.watch.whole_file import put_whole


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file; whoever reads meanwhile sees the old one or the new one.

    Into a pipe or a device it is just written. The new file may be read by whom the umask allows: a
    report is made to be shown. Raises OSError; what was there is still there then.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
    else:
        put_whole(target, text.encode())
