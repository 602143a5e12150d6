"""The program as its users meet it: processes, signals, files, exit codes, a simulated cloud next door."""
