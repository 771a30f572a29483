"""From a recipe to a run at its first step: what is refused or said before it, and the state that it starts from."""
