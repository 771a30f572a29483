"""Measures a finished run."""
