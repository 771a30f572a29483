"""Where images come from: one class a file, with `split`, `limit`, `labels`, `size`, `broken` and `read`."""
