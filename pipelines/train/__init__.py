"""From a recipe to a trained run: preparing, the loop, and what is left of it."""
