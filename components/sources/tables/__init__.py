"""Lists and tables: their rows, which column names images, and which says classes."""
