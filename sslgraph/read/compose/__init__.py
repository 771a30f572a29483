"""One text out of several: a parent, the changes to it by path, stars in those paths, and references. No torch."""
