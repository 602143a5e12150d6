"""What people see: progress log, console, status."""
