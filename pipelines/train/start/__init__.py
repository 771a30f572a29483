"""From a recipe to a run at its first step: what is checked and printed before it, and its first state."""
