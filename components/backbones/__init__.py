"""Backbones: networks from images to features, whose output is what a method leaves behind."""
