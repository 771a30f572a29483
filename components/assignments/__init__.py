"""Assignments: solvers that turn scores into targets."""
