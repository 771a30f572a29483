"""Batches of images: in which order they come, and how they are prepared for fast reading."""
