"""Files that hold many images: rows, archives and arrays, and what their heads say."""
