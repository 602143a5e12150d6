"""`orchestrator`: the verbs and the one place where an error becomes a message and an exit code.

Light to load: every verb imports what it needs when it runs, so that `--version` and `--help`
answer at once.
"""

from __future__ import annotations

import sys
from io import StringIO

import click

from orchestrator import __version__
from orchestrator.cli.cancel import cancel
from orchestrator.cli.check import probing, say_unknown
from orchestrator.cli.completion import completion
from orchestrator.cli.doctor import doctor
from orchestrator.cli.init import init
from orchestrator.cli.inspect import log, runs, status
from orchestrator.cli.ledger import ledger
from orchestrator.cli.plans import plan, validate
from orchestrator.cli.prune import prune
from orchestrator.cli.rebuild import rebuild
from orchestrator.cli.rehearse import rehearse
from orchestrator.cli.report import report
from orchestrator.cli.run import run
from orchestrator.cli.schema import schema
from orchestrator.cli.settle import settle
from orchestrator.cli.show import history, show, why
from orchestrator.cli.simulator import simulator
from orchestrator.cli.streams import prepare_streams, reader_left, stdout_trouble
from orchestrator.errors import OrchestratorError

_EPILOG = """\b
Exit codes:
    0  everything the plan wants is ready (also when there was nothing to do)
    1  a fault of our own
    2  usage, plan or settings
    3  finished, something failed or found no room
    4  deadline reached, the rest is handed to the next run
   65  the ledger is damaged or from a newer version
   75  another run holds the lock
   77  credentials refused
   78  the ledger belongs to another account or endpoint
  130  interrupted (SIGINT); 143 by SIGTERM or SIGHUP
An unknown code means failure.
"""


@click.group(
    epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="orchestrator %(version)s")
def cli() -> None:
    """Replicate JD Cloud private images to other regions: every copy made once, none lost."""
    from orchestrator.cli.early import forbid_dumps

    forbid_dumps()


for _verb in (
    init,
    run,
    plan,
    validate,
    rehearse,
    status,
    log,
    runs,
    report,
    prune,
    settle,
    doctor,
    ledger,
    simulator,
    schema,
    completion,
):
    cli.add_command(_verb)
for _verb in (show, history, why, cancel):
    cli.add_command(_verb)
ledger.add_command(rebuild)


def main() -> None:
    """Run the command line; never show a traceback unless -vv asks for it."""
    from orchestrator.cli.early import leave_on_signals, limit_core_files

    leave_on_signals()
    limit_core_files()
    prepare_streams()
    sys.exit(_printed(_guarded()))


def _guarded() -> int:
    """Return the exit code of the verb, or that of what stopped it."""
    try:
        code = cli.main(prog_name="orchestrator", standalone_mode=False)
    except click.ClickException as error:
        return _show(error)
    except OrchestratorError as error:
        return _tell(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _tell("interrupted", 130)
    except SystemExit:  # click's own word for a reader that went away
        return 0
    except Exception as error:
        if isinstance(error, OSError) and (trouble := stdout_trouble()) is not None:
            return untold(trouble)
        if "-vv" in sys.argv:
            raise
        kind = type(error).__name__
        return _tell(f"a fault of our own ({kind}). Run it again with -vv and report what it prints.", 1)
    return code if isinstance(code, int) else 0


def _printed(code: int) -> int:
    """Return the exit code once everything is printed; words that nobody got are a failure."""
    trouble = stdout_trouble()
    return code if trouble is None or code else untold(trouble)


def untold(trouble: OSError) -> int:
    """Say that the output could not be written, unless its reader just had read enough."""
    if reader_left(trouble):
        return 0
    return _tell(f"stdout: {trouble.strerror}. Print to a place that takes it.", 1)


def _tell(message: str, code: int) -> int:
    """Print one message to stderr, each of its lines as it is but for what would act on a terminal.

    A plugin prints it on stdout, where monitoring looks, and exits with "unknown".
    """
    if probing():
        return say_unknown(message)
    from orchestrator.watch.text import neutral

    click.echo(neutral(f"orchestrator: {message}" if "\n" not in message else message), err=True)
    return code


def _show(error: click.ClickException) -> int:
    """Print click's own words about the command line, which quote it."""
    if probing():
        return say_unknown(error.format_message())
    from orchestrator.watch.text import neutral

    words = StringIO()
    error.show(words)
    click.echo(neutral(words.getvalue()), err=True, nl=False)
    return error.exit_code
