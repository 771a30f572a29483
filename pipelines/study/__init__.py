"""A study: what the cells of a grid found, as a table, as curves, and as labels saved."""
