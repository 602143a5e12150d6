"""What YAML and JSON are full of, for spoiling: values that nobody sane would write, and pieces of syntax."""

from __future__ import annotations

from tests.fuzz.spoiling import Words

_YAML = r"""
    1 01 1.0 0x1 1:30 1e9 -1 +1 ~ null no yes true on NaN .inf 2026-11-23 '' "" ' " [] {} [ ] { } , : - ? #
    | > % @ ` & &a *a << <<: !!python/object:os.system !!binary !t ! *golden &x[*x] --- ... version
    images images_from source name destinations replications cn-north-1 cn-east-2 cn-north-9 CN-NORTH-1
    img-a img-A img- img-a.b ../../etc/passwd /dev/zero a.txt missing.txt "\0" "\x1b[2J" "\ud800"
    "\U00110000" "\U0010ffff" "\u202e" é 名 𝕏
""".split()  # noqa: SIM905 - a hundred lines with one word each say no more
_YAML_TEXTS = (
    *_YAML, "a b", "a: b", "? a\n: b", "\ta", "a\n", "|\n  text\n", ">-\n  text", " ", "\r", "\r\n",
    '"a\\\n  b"', "\ufeff", "\u00a0", "\u2028", "\x85", "\x07", "x" * 5000, "'" + "y" * 70 + "'",
    "img-" + "z" * 33, "[" * 40 + "]" * 40, "{a: " * 20 + "}" * 20, "- " * 60,
)  # fmt: skip
_YAML_BYTES = (b"\n", b"\n\n", b"  ", b"\xff", b"\x00", b"\xed\xa0\x80")

_JSON = r"""
    null true false 0 -1 1.5 1e999 -0 NaN Infinity -Infinity 18446744073709551616 999999999999999999
    "" "x" "img-a1" "img-b1" "img-a9" "img-B1" "ready" "pending" "error" "\ud800" "\u0000" "\u001b[31m"
    "\u202e" "42" "-1" "٤٢" [] {} [null] [[]] {"a":1,"a":2} "requestId" "result" "images" "imageId" "status"
    "image" "totalCount" "copyImages" "sourceImageId" "destinationImageId" "code" "message" "limit" "used"
""".split()  # noqa: SIM905
_JSON_TEXTS = (
    *_JSON, "9" * 5000, "-" + "9" * 5000, '"' + "z" * 3000 + '"', "[" * 1200 + "]" * 1200,
    '{"a":' * 1200 + "1" + "}" * 1200,
)  # fmt: skip
_JSON_BYTES = (
    *b'{ } [ ] , : " \\ <html> //'.split(), b"\xff", b"\x00", b"\xed\xa0\x80", b"\xef\xbb\xbf"
)  # fmt: skip

YAML = Words(_YAML_TEXTS, (*(text.encode() for text in _YAML_TEXTS), *_YAML_BYTES))
JSON = Words(_JSON_TEXTS, (*(text.encode() for text in _JSON_TEXTS), *_JSON_BYTES))
