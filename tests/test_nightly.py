"""The crontab, the systemd units and docs/cron.md: they fit the program and one another."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import errors

ROOT = Path(__file__).parent.parent
CRONTAB = ROOT / "config" / "cron" / "orchestrator.cron"
UNITS = ROOT / "config" / "systemd"
PROGRAM = Path(sys.executable).parent / "orchestrator"
CLI = ROOT / "orchestrator" / "cli" / "main.py"

# What each of crontab(5)'s five fields may hold.
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def crontab() -> tuple[dict[str, str], list[str]]:
    """Read the crontab as cron does: its variables, and the lines that start something."""
    variables, jobs = {}, []
    for line in CRONTAB.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        setting = re.fullmatch(r"([A-Z_]+)=(.*)", line)
        if setting:
            variables[setting[1]] = setting[2]
        else:
            jobs.append(line)
    return variables, jobs


def cron_command() -> str:
    """Give the command of the crontab's night."""
    night, _ = crontab()[1]
    return night.split(maxsplit=5)[5]


def cron_check() -> str:
    """Give what the crontab asks in the morning, without the shell around it."""
    _, morning = crontab()[1]
    return re.sub(r"^out=\$\((.*)\) \|\| echo \"\$out\"$", r"\1", morning.split(maxsplit=5)[5])


def unit(name: str) -> dict[str, list[str]]:
    """Read a unit file: key -> values, in order, whatever their section."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def exec_start() -> str:
    """Give the command of the service."""
    (command,) = unit("orchestrator.service")["ExecStart"]
    return command


def test_crontab_reads_as_cron_reads_it() -> None:
    """Cron takes the lines: five fields in range, no percent sign, no variable that it would not expand."""
    variables, jobs = crontab()
    for fields in (job.split(maxsplit=5) for job in jobs):
        for field, (least, most) in zip(fields, FIELDS, strict=False):
            assert field == "*" or least <= int(field) <= most
        assert "%" not in fields[5]
    assert [value for value in variables.values() if re.search(r"[$~%]", value)] == []


def test_crontab_finds_the_program() -> None:
    """Cron has no PATH to speak of, so the table brings one, with the program and what its shell needs."""
    variables, _ = crontab()
    program = shlex.split(cron_command())[0]
    assert str(Path(shlex.split(exec_start())[0]).parent) in variables["PATH"].split(":")
    assert "/" not in program
    assert "/usr/bin" in variables["PATH"].split(":")


def test_both_ways_to_start_run_the_same_night() -> None:
    """Cron and systemd start the same plan with the same deadline; only cron must keep quiet for its mail."""
    by_cron, by_systemd = shlex.split(cron_command()), shlex.split(exec_start())
    assert [word for word in by_cron[1:] if word != "-q"] == by_systemd[1:]
    assert "-q" in by_cron


def test_init_writes_the_same_two_lines(tmp_path: Path) -> None:
    """What `init` gives a new user is the same night and the same question, from their own folder."""
    subprocess.run([PROGRAM, "init", "."], cwd=tmp_path, check=True, capture_output=True, timeout=30)
    text = (tmp_path / "orchestrator.cron").read_text(encoding="utf-8")
    jobs = [line.split(maxsplit=5)[5] for line in text.splitlines() if re.match(r"\d+ ", line)]
    assert all(job.startswith(f"cd {tmp_path} && ") for job in jobs)
    bare = [job.removeprefix(f"cd {tmp_path} && ").replace(str(PROGRAM), "orchestrator") for job in jobs]
    expected = [job.split(maxsplit=5)[5].replace("/etc/orchestrator/", "") for job in crontab()[1]]
    assert bare == expected


def test_both_ask_the_same_in_the_morning() -> None:
    """Cron and systemd ask `status --check` with the same words; only cron wraps it to be silent."""
    (check,) = unit("orchestrator-check.service")["ExecStart"]
    assert shlex.split(cron_check())[1:] == shlex.split(check)[1:]
    assert shlex.split(cron_check())[1:3] == ["status", "--check"]
    where = "ORCHESTRATOR_STATE_DIR=%S/orchestrator"
    assert where in unit("orchestrator-check.service")["Environment"]


@pytest.mark.parametrize("path", [CRONTAB, UNITS / "orchestrator.service"], ids=lambda path: path.suffix)
def test_no_secret_is_invited(path: Path) -> None:
    """Credentials come as names of files: a table or a command line would show their values to others."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"JDCLOUD_\w+(?<!_FILE)=|--(?:secret|access)", text) == []
    assert "JDCLOUD_SECRET_KEY_FILE=" in text


def test_service_loads_every_credential_it_names() -> None:
    """Each credential variable of the service leads to a file that systemd puts there."""
    service = unit("orchestrator.service")
    named = re.findall(r"JDCLOUD_\w+_FILE=%d/(\w+)", "\n".join(service["Environment"]))
    assert sorted(named) == sorted(line.partition(":")[0] for line in service["LoadCredential"])
    assert sorted(named) == ["jdcloud_access_key", "jdcloud_secret_key"]


def test_service_keeps_its_state_where_it_may_write() -> None:
    """The one folder that the hardened service may write to is the one that the program uses."""
    service = unit("orchestrator.service")
    assert f"ORCHESTRATOR_STATE_DIR=%S/{service['StateDirectory'][0]}" in service["Environment"]
    assert crontab()[0]["ORCHESTRATOR_STATE_DIR"] == f"/var/lib/{service['StateDirectory'][0]}"


def test_service_tells_trouble_from_business() -> None:
    """A held lock and a stop are no failure of the unit; every other code that is not 0 is."""
    assert unit("orchestrator.service")["SuccessExitStatus"] == [f"{errors.LockHeld.exit_code} 143"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_units_verify(tmp_path: Path) -> None:
    """Both units verify without a complaint, were the program where they look for it."""
    for path in UNITS.iterdir():
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    verify = ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))]
    answer = subprocess.run(verify, check=False, capture_output=True, text=True, timeout=30)
    # Complaints about this machine's units are not ours; for an unknown key the exit status stays 0.
    assert [line for line in answer.stderr.splitlines() if "orchestrator" in line] == []
    assert answer.returncode == 0, answer.stderr


@pytest.mark.skipif(not CLI.exists(), reason="there is no command line yet")
@pytest.mark.parametrize("command", [cron_command(), exec_start()], ids=["cron", "systemd"])
def test_commands_are_understood(command: str, tmp_path: Path) -> None:
    """The program knows every option: started as cron starts it, it stops at nothing but a missing plan."""
    plan = tmp_path / "nightly.yaml"
    line = re.sub(r"\S+/nightly\.yaml", shlex.quote(str(plan)), command)
    line = re.sub(r"^\S+", shlex.quote(str(PROGRAM)), line)
    cron = {"HOME": str(tmp_path), "LOGNAME": "orchestrator", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=tmp_path,
        env=cron,
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert answer.returncode == 2
    assert "nightly.yaml" in answer.stderr
    assert answer.stdout == ""


def test_every_exit_code_is_explained() -> None:
    """Whoever finds an exit code in a mail finds it in docs/cron.md."""
    table = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "cron.md").read_text(encoding="utf-8"), re.MULTILINE)
    raised = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.OrchestratorError)
    }
    assert {int(code) for code in table} == raised | {0, 3, 4, 77, 130, 143}
