"""The grid of a panel: the column and the row of each box, and the way of each line through it."""
