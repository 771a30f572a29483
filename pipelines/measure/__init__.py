"""Measures of an encoder: features, nearest neighbours, linear probe, spectra."""
