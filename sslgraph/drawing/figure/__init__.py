"""From a sized graph to a picture: boxes, lines, lanes and folds."""
