"""`python -m tests.docs --write`: writes the parts of the documentation that come from the code."""

from __future__ import annotations

import sys

from tests.docs.reference import pages


def main() -> int:
    """Write what differs, or only name it; return 1 where something differs and nothing is to be written."""
    write = sys.argv[1:] == ["--write"]
    stale = [
        (path, text)
        for path, text in pages()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(f"{'wrote' if write else 'differs'}: {path}")
        if write:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and not write else 0


if __name__ == "__main__":
    raise SystemExit(main())
