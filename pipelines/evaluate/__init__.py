"""A finished run measured."""
