"""Exports the trained encoder for other libraries."""
