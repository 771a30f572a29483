"""A search: numbers and structure of a method, tried by trials that are recipes like any other."""
