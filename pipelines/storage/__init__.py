"""A run on disk: its folder, its checkpoints, its lock, and how it is asked to stop."""
