"""`python -m orchestrator` and the console script: signals first, then the command line, nothing else."""

from orchestrator.cli.early import leave_on_signals


def main() -> None:
    """Run the command line; a signal while it is being loaded ends the program without a word."""
    leave_on_signals()
    from orchestrator.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
