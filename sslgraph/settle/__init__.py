"""From a graph to a sized graph: parts are built, and every edge gets a shape."""
