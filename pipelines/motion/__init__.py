"""What moves in a clip."""
