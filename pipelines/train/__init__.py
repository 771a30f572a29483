"""A recipe becomes a trained run: its start, the loop, what is saved and what is left of it."""
