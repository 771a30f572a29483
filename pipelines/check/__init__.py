"""Checks a method or a recipe before any data is read."""
