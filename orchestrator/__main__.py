"""`python -m orchestrator` and the console script: signals first, then the command line, nothing else."""

import sys

from orchestrator.cli.early import leave_on_signals


def main() -> None:
    """Run the command line; a signal while it is being loaded ends the program without a word."""
    leave_on_signals()
    if sys.argv[1:] == ["--version"]:
        from orchestrator.cli.version import say_version

        sys.exit(say_version())
    from orchestrator.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
