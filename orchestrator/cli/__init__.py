"""The command line: verbs, signals, exit codes; a thin user of `app`."""
