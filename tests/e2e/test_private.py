"""What a run leaves behind: folders nobody else can enter, and no secret anywhere."""

from __future__ import annotations

import re
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from signal import SIGABRT, SIGKILL, SIGQUIT, SIGSEGV

import pytest

from tests.canary import SECRET, TOKEN, WRONG, found_in
from tests.e2e.processes import PROGRAM, until
from tests.e2e.support import EAST, Cloud, Home, MakeHome, images


def leaks(home: Home, *secrets: str) -> list[Path]:
    """Name the files of a home, outputs of all its processes included, that hold one of some texts."""
    files = [path for path in home.folder.rglob("*") if path.is_file()]
    texts = [secret.encode() for secret in secrets]
    return [path for path in files if any(text in path.read_bytes() for text in texts)]


def test_no_secret_is_left_anywhere(cloud: Cloud, make_home: MakeHome) -> None:
    """After a good night, told as loudly as can be, no file and no output holds the key's secret or token."""
    home = make_home(cloud, JDCLOUD_SESSION_TOKEN=TOKEN, ORCHESTRATOR_LOG_LEVEL="debug")
    sources = cloud.take(2)
    assert home.call("run", home.plan(sources, EAST), "-vv", "--json").code == 0
    for verb in (["status", "--json"], ["log"], ["runs", "--json"]):
        assert home.call(*verb).code == 0
    assert (home.state / "ledger.db").is_file()
    assert leaks(home, SECRET, TOKEN) == []
    assert leaks(home, sources[0]), "a search that finds nothing proves nothing"


def test_a_refused_secret_is_not_shown_either(cloud: Cloud, make_home: MakeHome) -> None:
    """A 401 is reported without what was refused."""
    home = make_home(cloud, JDCLOUD_SECRET_KEY=WRONG, ORCHESTRATOR_LOG_LEVEL="debug")
    assert home.call("run", home.plan(cloud.take(2), EAST), "-vv", "--json").code == 77
    assert leaks(home, WRONG) == []


def test_a_secret_in_the_wrong_place_is_not_repeated(make_home: MakeHome) -> None:
    """A secret given as a file name, or with a blank in it, is refused without being repeated."""
    for name, text in (("JDCLOUD_SECRET_KEY_FILE", WRONG), ("JDCLOUD_SECRET_KEY", f"{WRONG} x")):
        home = make_home(None)
        home.environ.pop("JDCLOUD_SECRET_KEY")
        home.environ[name] = text
        assert home.call("run", home.plan(images(1), EAST), "-vv").code != 0
        assert leaks(home, WRONG) == [], name


def umasked(umask: str, home: Home, *arguments: str) -> list[str]:
    """Write a command that runs the program under a umask."""
    program = str(Path(home.environ["PATH"].split(":")[0], "orchestrator"))
    return ["/bin/sh", "-c", f'umask {umask}; exec "$@"', "sh", program, *arguments]


def modes(home: Home) -> dict[str, int]:
    """Read the permissions of all that is in the state folder, links left out."""
    found = [path for path in [home.state, *home.state.rglob("*")] if not path.is_symlink()]
    return {path.relative_to(home.state).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in found}


def check_private(home: Home, *names: str) -> None:
    """Hold a state folder to its modes, and see that it holds what is asked about."""
    found = modes(home)
    assert set(names) <= set(found)
    assert {name for name, mode in found.items() if mode not in (0o600, 0o700)} == set()
    assert {name for name, mode in found.items() if mode == 0o700} == {".", "logs"}


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_state_is_for_its_owner_alone(cloud: Cloud, make_home: MakeHome, umask: str) -> None:
    """Folders of the state are 0700 and files 0600, whatever the umask: in a run, killed, after it."""
    home, sources = make_home(cloud), cloud.take(2)
    cloud.hold(EAST)
    running = home.start(program=umasked(umask, home, "run", home.plan(sources, EAST)))
    until(lambda: "read.unanswered" in home.log_names() or not running.alive, "a run to be held")
    check_private(home, "ledger.db", "ledger.db-wal", "ledger.db-shm", "lock")
    running.signal(SIGKILL)
    running.wait()
    cloud.calm()
    done = home.call(program=umasked(umask, home, "run", home.plan(sources, EAST), "--json"))
    assert done.code == 0, done.err
    check_private(home, "ledger.db", "lock")
    assert len([name for name in modes(home) if name.endswith(".jsonl")]) == 2


def test_a_log_that_leads_elsewhere_is_not_shown(make_home: MakeHome) -> None:
    """`log` shows what lies in the folder of logs; a link to another place is named and not followed."""
    home = make_home()
    (home.folder / "elsewhere.jsonl").write_text('{"event": "precious"}\n')
    (home.state / "logs").mkdir(parents=True)
    (home.state / "logs" / "latest").symlink_to(home.folder / "elsewhere.jsonl")
    done = home.call("log", "--json")
    assert (done.code, done.out) == (2, "")
    assert "is no log" in done.err


# --- what other processes see -----------------------------------------------------------------------


def test_no_secret_is_in_the_list_of_processes(cloud: Cloud, make_home: MakeHome) -> None:
    """Neither the command line of a run nor a line of `ps` shows what everybody could read there."""
    home = make_home(cloud, JDCLOUD_SESSION_TOKEN=TOKEN)
    cloud.hold(EAST)
    running = home.held(home.plan(cloud.take(1), EAST))
    line = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
    assert b"orchestrator" in line
    assert found_in(line) == []
    if shutil.which("ps"):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout
        assert b"orchestrator" in listed
        assert found_in(listed) == []
    assert found_in(Path(f"/proc/{running.process.pid}/comm").read_bytes()) == []


# --- core files --------------------------------------------------------------------------------------

UNLIMITED = ("/bin/sh", "-c", 'ulimit -c unlimited && exec "$@"', "sh")
ABORTS = "import os; secret = os.environ['JDCLOUD_SECRET_KEY']; os.abort()"
PATTERN = Path("/proc/sys/kernel/core_pattern")
WRITES_CORES = PATTERN.exists() and not PATTERN.read_text().startswith(("|", "/"))


def cores(home: Home) -> list[Path]:
    """Name the core files in a home; a pattern that says more still begins like that by default."""
    return [path for path in home.folder.rglob("core*") if path.is_file()]


def may_dump() -> bool:
    """Tell whether this user may have core files as large as they come."""
    return resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY


def test_a_run_has_core_files_switched_off(cloud: Cloud, make_home: MakeHome) -> None:
    """Whatever limit the shell gave, the running program has set its own to nothing, for good."""
    home = make_home(cloud)
    cloud.hold(EAST)
    running = home.start("run", home.plan(cloud.take(1), EAST), program=[*UNLIMITED, *PROGRAM])
    until(lambda: "read.unanswered" in home.log_names() or not running.alive, "a run to be held")
    limits = Path(f"/proc/{running.process.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


@pytest.mark.skipif(not WRITES_CORES, reason="this kernel hands core files to a program")
@pytest.mark.skipif(not may_dump(), reason="core files are limited for this user")
@pytest.mark.shows_canary("file", reason="the unprotected process dumps its secret, which is looked for")
@pytest.mark.parametrize("number", [SIGABRT, SIGQUIT, SIGSEGV], ids=["abort", "quit", "segv"])
def test_a_killed_run_leaves_no_core_file(cloud: Cloud, make_home: MakeHome, number: int) -> None:
    """Killed by a signal that dumps, it leaves nothing where an unprotected process leaves its secret."""
    home = make_home(cloud, JDCLOUD_SESSION_TOKEN=TOKEN)
    cloud.hold(EAST)
    running = home.start("run", home.plan(cloud.take(1), EAST), program=[*UNLIMITED, *PROGRAM])
    until(lambda: "read.unanswered" in home.log_names() or not running.alive, "a run to be held")
    running.signal(number)
    assert running.wait().code == -number
    assert cores(home) == []
    assert leaks(home, SECRET, TOKEN) == []
    home.call("-c", ABORTS, program=[*UNLIMITED, sys.executable])
    (core,) = cores(home)
    assert SECRET.encode() in core.read_bytes(), "a search that finds nothing proves nothing"
    core.unlink()


@pytest.mark.skipif(not WRITES_CORES, reason="this kernel hands core files to a program")
@pytest.mark.skipif(not may_dump(), reason="core files are limited for this user")
def test_the_kernel_refuses_by_itself(make_home: MakeHome) -> None:
    """Without any limit there is no core file either, so none goes into a pipe, where no limit counts."""
    home = make_home()
    protected = f"from orchestrator.cli.early import forbid_dumps; forbid_dumps(); {ABORTS}"
    assert home.call("-c", protected, program=[*UNLIMITED, sys.executable]).code == -SIGABRT
    assert cores(home) == []


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_memory_is_not_dumpable_from_the_first_verb_on(make_home: MakeHome) -> None:
    """PR_GET_DUMPABLE is 0 once a verb begins; `--version` does without, and pays nothing for it."""
    ask = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    for verb, dumpable in (("--version", "1"), ("runs", "0")):
        begin = f"import sys; from orchestrator.cli.main import cli; sys.argv[1:] = ['{verb}']\n"
        code = f"{begin}try:\n cli(standalone_mode=False)\nexcept Exception:\n pass\n{ask}"
        done = make_home().call("-c", code, program=[sys.executable])
        assert done.out.split()[-1] == dumpable, done
