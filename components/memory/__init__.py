"""State: what a method remembers between steps, read in the step and written after it."""
