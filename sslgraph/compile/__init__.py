"""From a sized graph to a torch module: weights, programs, and what moves between steps."""
