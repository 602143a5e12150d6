"""`python -m orchestrator`: the same program as the console script; adds nothing to it."""

from orchestrator.cli.main import main

if __name__ == "__main__":
    main()
