"""Writes the files of a new part or recipe for its author."""
