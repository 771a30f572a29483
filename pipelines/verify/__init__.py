"""The same mathematics on any number of ranks and after any resume, shown at a tiny size."""
