"""What surrounds the copying: selecting, pruning, naming, comparing; whole runs on a served world."""
