"""`--detailed-exitcode`: 0 nothing to do, 1 error, 2 something to do; so errors that would be 2 become 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from orchestrator.core.diff import EXIT_ERROR
from orchestrator.errors import OrchestratorError

_FLAG = "--detailed-exitcode"


class DetailedCommand(click.Command):
    """A verb that has the flag; what is wrong with its other options counts as an error, too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line."""
        with _one_for_errors(asked=_FLAG in args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Do what the verb does."""
        with _one_for_errors(asked=bool(ctx.params.get("detailed_exitcode"))):
            return super().invoke(ctx)


@contextmanager
def _one_for_errors(*, asked: bool) -> Iterator[None]:
    """Give whatever stops the verb the exit code 1, if asked; a signal keeps its own."""
    try:
        yield
    except (click.ClickException, OrchestratorError) as error:
        if asked and error.exit_code <= 128:
            vars(error)["exit_code"] = EXIT_ERROR  # of this one error: a class has it for all
        raise


detailed_option = click.option(
    _FLAG, is_flag=True, help="Exit with 0: every copy is there, 1: an error, 2: something is to be done."
)
