"""Image ids: their form, and lists of them, one id a line. It reads text that is handed in, never files."""

from __future__ import annotations

import re

from orchestrator.core.model import ImageId
from orchestrator.core.plan.complaints import START, Page, Place, shown
from orchestrator.core.plan.decode import decode

LIST_BYTES_MAX = 64 << 20
IMAGES_MAX = 1_000_000
"""Most ids in one list: each makes at least one copy, and a plan makes at most a million."""

_IMAGE_ID = re.compile(r"img-[a-z0-9]{1,32}\Z")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")


def image_id(text: str, place: Place, page: Page, path: str) -> ImageId | None:
    """Take a text that must be an image id; None after a complaint."""
    if _IMAGE_ID.match(text):
        return ImageId(text)
    form = "an image id is img- and 1 to 32 of a-z and 0-9"
    page.add(place, path, f"malformed image id '{shown(text)}'; {form}")
    return None


def read_images(data: bytes, page: Page, path: str) -> dict[ImageId, Place]:
    """Read a list file: one id a line; blank lines and what follows a `#` are left out.

    Returns each id with the place of its first mention, none of them when they are too many.
    `path` is the plan's part that names the file.
    """
    text = decode(data, page, path, LIST_BYTES_MAX)
    if text is None:
        return {}
    images: dict[ImageId, Place] = {}
    anything = False
    for number, line in enumerate(_LINE.finditer(text), start=1):
        written = line.group(1).partition("#")[0]
        word = written.strip()
        if not word:
            continue
        anything = True
        add_image(images, word, Place(number, written.index(word) + 1), page, path)
        if len(images) > IMAGES_MAX:
            page.add(Place(number, 1), path, f"more than {IMAGES_MAX:,} images")
            return {}
    if not anything:
        page.add(START, path, "an empty list; add image ids, one a line")
    return images


def add_image(images: dict[ImageId, Place], text: str, place: Place, page: Page, path: str) -> None:
    """Add an id to those of one list, unless it is malformed or there already."""
    image = image_id(text, place, page, path)
    if image is None:
        return
    if image in images:
        page.add(place, path, f"{image} again; it is already in line {images[image].line} of this list")
    else:
        images[image] = place
