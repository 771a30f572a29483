"""Masks: which parts of an image are hidden, shown, or paired with parts of another view."""
