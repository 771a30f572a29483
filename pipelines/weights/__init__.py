"""Weights that a net starts with: read from files of several layouts, and matched with the net."""
