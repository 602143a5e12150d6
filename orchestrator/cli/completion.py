"""`orchestrator completion`: the script that teaches a shell our verbs and options."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for a SHELL.

    For bash, add to ~/.bashrc: eval "$(orchestrator completion bash)".
    """
    from click.shell_completion import get_completion_class

    root = context.find_root()
    script = get_completion_class(shell)
    if script is not None:  # one of _SHELLS: click knows them all
        click.echo(script(root.command, {}, "orchestrator", "_ORCHESTRATOR_COMPLETE").source())
