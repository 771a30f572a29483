"""Losses: what a method minimises, each a mean over the images of the batch."""
