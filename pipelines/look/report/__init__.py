"""One page about a run, or a comparison of several: one HTML file that needs no network."""

from .sections import write_report

__all__ = ["write_report"]
