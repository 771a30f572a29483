"""Checks at a tiny size that any number of ranks, and a resumed run, compute the same."""
