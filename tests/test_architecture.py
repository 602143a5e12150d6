"""The house rules that no ordinary tool knows, read from the syntax tree of the source."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

Rule = Callable[[str], Iterator[str]]

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "orchestrator"
TESTS = ROOT / "tests"
CORE = PACKAGE / "core"

FILE_MAX = 300
FUNCTION_MAX = 40

# What would bring a clock, chance, files, the network, threads or the environment into the core.
IMPURE = frozenset(
    """
    aiohttp anyio asyncio concurrent ctypes fcntl getpass glob http io locale logging multiprocessing
    os pathlib platform queue random sched secrets select selectors shutil signal socket sqlite3 ssl structlog
    subprocess sys tempfile threading time urllib uuid zoneinfo
    """.split()  # noqa: SIM905 - forty lines with one word each say no more
)
CLOCK_READERS = frozenset({"now", "utcnow", "today"})
DATES = frozenset({"datetime", "date"})
OPENERS = frozenset({"open", "input", "print", "exec", "eval", "__import__"})
ASYNC_NODES = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
# Replies that no sane server gives need a stand-in for the transport; nothing else does.
MOCKS_ALLOWED = ("conftest.py", "cloud/")


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give (line, dotted name) of everything imported; `from a import b` gives both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def impurities(source: str) -> Iterator[str]:
    """Find what makes a module depend on more than its arguments."""
    tree = ast.parse(source)
    for line, name in imported_modules(tree):
        if name.partition(".")[0] in IMPURE:
            yield f"{line}: imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ASYNC_NODES) or (isinstance(node, ast.comprehension) and node.is_async):
            yield f"{getattr(node, 'lineno', '?')}: waits ({type(node).__name__})"
        if isinstance(node, ast.Call) and last_name(node.func) in OPENERS | CLOCK_READERS:
            yield f"{node.lineno}: calls {last_name(node.func)}"
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_READERS and last_name(node.value) in DATES:
            yield f"{node.lineno}: hands a clock on (.{node.attr})"


def last_name(node: ast.expr) -> str:
    """Give a name, or what stands behind the last dot."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def loose_types(source: str) -> Iterator[str]:
    """Find Any, cast, and comments that switch the type checker off."""
    for line, name in imported_modules(ast.parse(source)):
        if name in {"typing.Any", "typing.cast"}:
            yield f"{line}: imports {name}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"Any", "cast"}:
            yield f"{node.lineno}: uses {node.attr}"
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and "type:" in token.string and "ignore" in token.string:
            yield f"{token.start[0]}: {token.string}"


def mocks(source: str) -> Iterator[str]:
    """Find imports of mocking libraries."""
    for line, name in imported_modules(ast.parse(source)):
        if name.startswith(("unittest.mock", "mock", "pytest_mock")):
            yield f"{line}: imports {name}"


def threads(source: str) -> Iterator[str]:
    """Find threads and executors: they make virtual time lie and a transaction outlive its task."""
    tree = ast.parse(source)
    for line, name in imported_modules(tree):
        if name.startswith(("threading", "concurrent.futures", "multiprocessing", "anyio.to_thread")):
            yield f"{line}: imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"to_thread", "run_in_executor"}:
            yield f"{node.lineno}: uses {node.attr}"


def oversize(source: str) -> Iterator[str]:
    """Find a file that is too long, and functions that are, docstring included."""
    lines = len(source.splitlines())
    if lines > FILE_MAX:
        yield f"1: the file has {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_MAX:
                yield f"{node.lineno}: {node.name} has {length} lines"


def silence(source: str) -> Iterator[str]:
    """Find a module that does not say what it is for."""
    if not (ast.get_docstring(ast.parse(source)) or "").strip():
        yield "1: no docstring"


def keep(rule: Rule, folder: Path, *, allowed: tuple[str, ...] = ()) -> None:
    """Fail with every place below a folder that breaks a rule; `allowed` are beginnings of paths in it."""
    modules = sorted(folder.rglob("*.py"))
    assert modules, f"nothing to read in {folder}"
    found = [
        f"{path.relative_to(ROOT)}:{finding}"
        for path in modules
        if not path.relative_to(folder).as_posix().startswith(allowed)
        for finding in rule(path.read_text(encoding="utf-8"))
    ]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_core_is_pure() -> None:
    """The core decides from its arguments alone: no clock, chance, files, network, environment or await."""
    keep(impurities, CORE)


def test_core_types_are_tight() -> None:
    """In the core the type checker is neither silenced nor talked round."""
    keep(loose_types, CORE)


def test_no_mocks_of_our_own_code() -> None:
    """Tests meet the real program: a mock stands in for what lies below the cloud client, nothing else."""
    keep(mocks, TESTS, allowed=MOCKS_ALLOWED)


def test_no_threads() -> None:
    """The program runs in one thread, so virtual time tells the truth and no transaction is left behind."""
    keep(threads, PACKAGE)


def test_files_and_functions_stay_small() -> None:
    """A reader holds every function and every file in the head at once."""
    keep(oversize, PACKAGE)


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=lambda folder: folder.name)
def test_every_module_says_what_it_is_for(folder: Path) -> None:
    """Whoever opens a module reads first what it does."""
    keep(silence, folder)


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        (impurities, "import time"),
        (impurities, "import os.path as p"),
        (impurities, "from random import random"),
        (impurities, "def f():\n    from uuid import uuid4"),
        (impurities, "import datetime\ndatetime.datetime.now()"),
        (impurities, "from datetime import date\nd = date.today"),
        (impurities, "from datetime import datetime as d\nd.now()"),
        (impurities, "async def f(): pass"),
        (impurities, "async def f(): return [x async for x in y]"),
        (impurities, "open('plan.yaml')"),
        (impurities, "path.open()"),
        (loose_types, "from typing import Any"),
        (loose_types, "import typing as t\nx: t.Any = 1"),
        (loose_types, "from typing import cast"),
        (loose_types, "x = y  # type: ignore[attr-defined]"),
        (mocks, "from unittest.mock import Mock"),
        (mocks, "from unittest import mock"),
        (threads, "import threading"),
        (threads, "from anyio import to_thread"),
        (threads, "asyncio.to_thread(f)"),
        (oversize, "x = 1\n" * 301),
        (oversize, "async def f():\n" + "    x = 1\n" * 40),
        (silence, "import re\n'not at the top'"),
        (silence, ""),
    ],
    ids=lambda value: getattr(value, "__name__", "planted"),
)
def test_rules_find_what_they_forbid(rule: Rule, planted: str) -> None:
    """Every rule above can fail: it finds an offence that was planted for it."""
    assert list(rule(planted))


@pytest.mark.parametrize(
    ("rule", "innocent"),
    [
        (impurities, "from datetime import datetime\ndatetime.fromtimestamp(self.now)\ntime_s = now = 0.0"),
        (impurities, "'import time; open(x)'  # await os"),
        (loose_types, "'Any cast'  # any type may be ignored"),
        (oversize, "def f():\n" + "    x = 1\n" * 39),
    ],
    ids=lambda value: getattr(value, "__name__", "innocent"),
)
def test_rules_pass_what_only_looks_alike(rule: Rule, innocent: str) -> None:
    """The rules read code, not words: a name or a comment that looks alike is no offence."""
    assert list(rule(innocent)) == []
