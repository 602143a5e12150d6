"""Who hears of a run: metrics file, ping, webhook, notifications. Nothing here may fail a run."""
