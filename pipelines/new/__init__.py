"""The files of a new part, written for its author."""
