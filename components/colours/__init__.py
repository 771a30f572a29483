"""Colours: an image taken apart into lightness and colour, classes of colour, and defences against its traces."""
