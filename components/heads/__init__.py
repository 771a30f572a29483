"""Heads: small networks between a backbone's features and a loss."""
