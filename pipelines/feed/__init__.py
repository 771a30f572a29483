"""Batches of images: their order, and how they are prepared for fast reading."""
