"""Patches: an image cut into pieces, what is done to each, and questions about where they lay."""
