"""Weights that a net begins with: read from files of several layouts, and held against the net."""
