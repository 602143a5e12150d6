"""What a clone, a lock file and a built wheel promise to whoever installs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "orchestrator"
LOCKS = ("run", "dev", "oracle", "lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN_WANTS = PROJECT["project"]["dependencies"]
GROUPS = PROJECT["dependency-groups"]

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def lock_text(name: str) -> str:
    """Read requirements/NAME.txt."""
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Read a lock: canonical name -> (exact version, number of hashes). Fails on any line that is neither."""
    found: dict[str, tuple[str, int]] = {}
    code = "\n".join(line.split("#")[0].rstrip() for line in lock_text(name).splitlines())
    for entry in re.sub(r"\s*\\\n\s*", " ", code).split("\n"):
        if not entry:
            continue
        pin = re.fullmatch(r"([\w.-]+)==([\w.!+]+)( ; [^#]+?)?((?: --hash=sha256:[0-9a-f]{64})*)", entry)
        assert pin, f"requirements/{name}.txt: not a pin: {entry[:100]}"
        found[canonicalize_name(pin[1])] = (pin[2], pin[4].count("--hash"))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_no_host(name: str) -> None:
    """A lock works with whatever package index the machine has: it names none, and no folder either."""
    offences = [
        line
        for line in lock_text(name).splitlines()
        if re.search(r"://|index-url|find-links|trusted-host|(?<=\s)/\w| @ ", line)
    ]
    assert offences == []


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_exact_versions_with_hashes(name: str) -> None:
    """Nothing gets in that was not seen when the lock was made: each entry has one version and hashes."""
    found = pins(name)
    assert found
    assert [package for package, (_, hashes) in found.items() if hashes == 0] == []


@pytest.mark.parametrize(
    ("name", "wants"),
    [
        ("run", RUN_WANTS),
        ("dev", [*RUN_WANTS, *GROUPS["dev"], *PROJECT["build-system"]["requires"]]),
        ("oracle", GROUPS["oracle"]),
        ("lock", GROUPS["lock"]),
    ],
    ids=LOCKS,
)
def test_locks_hold_what_the_project_asks_for(name: str, wants: list[str]) -> None:
    """Each requirement of pyproject.toml is in its lock with a version that fits; else run `make lock`."""
    found = pins(name)
    for requirement in map(Requirement, wants):
        version, _ = found.get(canonicalize_name(requirement.name), ("", 0))
        assert version, f"requirements/{name}.txt lacks {requirement}; run make lock"
        assert requirement.specifier.contains(version), f"{requirement} is locked to {version}; run make lock"


@pytest.mark.parametrize("name", ["run", "oracle"])
def test_locks_agree(name: str) -> None:
    """What is tested is what runs: a package has the same version in every lock."""
    dev = pins("dev")
    assert {p: (v, dev[p][0]) for p, (v, _) in pins(name).items() if p in dev and dev[p][0] != v} == {}
    assert name == "oracle" or pins(name).keys() <= dev.keys()


def test_wheel_is_whole(tmp_path: Path) -> None:
    """The wheel works alone: it carries every file of the package, type marker, SQL and data included."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=50)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = {name for name in names if name.startswith("orchestrator/")}
    in_tree = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert carried == in_tree
    assert {"orchestrator/py.typed", "orchestrator/simulator/data/demo.yaml"} <= carried
    assert any(name.endswith(".sql") for name in carried)
    assert {name.partition("/")[0] for name in names - carried} == {
        f"{wheel.name[: -len('-py3-none-any.whl')]}.dist-info"
    }


def test_demo_plan_is_one_plan() -> None:
    """`make run` in a clone and `run --simulate` from a wheel replicate the same demo plan."""
    packaged = PACKAGE / "simulator" / "data" / "demo.yaml"
    assert packaged.read_bytes() == (ROOT / "config" / "plans" / "demo.yaml").read_bytes()


# --- make -----------------------------------------------------------------------------------------


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder with an environment that says nothing but where programs are."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(
        ["make", *words], cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=30
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Lay out what make reads, below a name with a space, with an environment that looks finished."""
    folder = tmp_path / "a clone"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (folder / ".venv" / ".installed").write_text(f"{folder.resolve()}\n")
    return folder


@needs_make
def test_make_help_lists_every_target() -> None:
    """`make` alone tells what there is: every target, each with a sentence."""
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"^  make ([a-z-]+) +\S", make(ROOT).stdout, re.MULTILINE)
    assert sorted(told) == sorted(set(phony.split()) - {"FORCE"})


@needs_make
def test_second_install_does_nothing(clone: Path) -> None:
    """An environment that is up to date is left alone, within the blink of an eye."""
    began = time.monotonic()
    assert make(clone, "-q", "install").returncode == 0
    assert time.monotonic() - began < 1


@needs_make
@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/dev.txt"])
def test_install_follows_the_lock(clone: Path, changed: str) -> None:
    """A changed project or lock is installed by the next make."""
    later = time.time() + 60
    os.utime(clone / changed, (later, later))
    assert make(clone, "-q", "install").returncode == 1


@needs_make
def test_moved_clone_is_installed_anew(clone: Path) -> None:
    """A clone that was copied or moved never runs the code of the folder it came from."""
    assert make(clone.rename(clone.with_name("moved")), "-q", "install").returncode == 1


@needs_make
def test_vanished_interpreter_is_noticed(clone: Path) -> None:
    """An environment whose Python was uninstalled is made anew."""
    link = clone / ".venv" / "bin" / "python"
    link.unlink()
    link.symlink_to("/nonexistent/python3")
    assert make(clone, "-q", "install").returncode == 1


@needs_make
@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        # Runs what make asks, as if by an older Python.
        ("sys.version_info = (3, 10, 9); exec(sys.argv[2])", "Python 3.11 or newer is needed, {py} is 3.10."),
        # Debian's Python without python3-venv.
        ("sys.modules['ensurepip'] = None; exec(sys.argv[2])", "{py} has no venv module."),
    ],
    ids=["old", "without-venv"],
)
def test_unfit_python_is_told_in_one_line(clone: Path, script: str, complaint: str) -> None:
    """Whoever lacks the one thing that is needed reads one line that says so, and nothing is left behind."""
    shutil.rmtree(clone / ".venv")
    python = clone.parent / "python"
    python.write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "import sys; {script}" "$@"\n')
    python.chmod(0o755)
    answer = make(clone, "install", f"PY={python}")
    lines = [line for line in answer.stderr.splitlines() if not line.startswith("make:")]
    assert answer.returncode == 2
    assert len(lines) == 1
    assert lines[0].startswith(complaint.format(py=python))
    assert not (clone / ".venv").exists()


@needs_make
def test_missing_python_is_told_in_one_line(clone: Path) -> None:
    """Without any Python make says what to install, not `command not found`."""
    shutil.rmtree(clone / ".venv")
    answer = make(clone, "test", "PY=/nonexistent/python3")
    assert answer.stderr.startswith("No /nonexistent/python3 here. Install Python 3.11 or newer")


@needs_make
@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("run", "orchestrator run --simulate config/plans/demo.yaml"),
        ("test", "-m pytest"),
        ("check", "mypy"),
        ("check", "lint-imports"),
        ("check", "ruff check"),
        ("check", "ruff format --check"),
    ],
)
def test_make_does_what_the_readme_says(clone: Path, target: str, command: str) -> None:
    """The commands that README and continuous integration use lead to the programs they promise."""
    assert command in make(clone, "-n", target).stdout


def test_ci_runs_the_readmes_command() -> None:
    """Continuous integration runs what a person runs: make test, then make check."""
    script = ROOT / ".ci" / "run"
    assert re.findall(r"^step (\w+)$", script.read_text(encoding="utf-8"), re.MULTILINE)[-2:] == [
        "test",
        "check",
    ]
    assert os.access(script, os.X_OK)
