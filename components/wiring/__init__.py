"""Wiring: parts without weights that only move, cut or join tensors."""
