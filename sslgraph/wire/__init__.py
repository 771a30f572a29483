"""From a method to a graph of boxes and values: expressions, gradients, refusals. Imports no torch."""
