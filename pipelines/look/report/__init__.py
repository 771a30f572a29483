"""One page about a run, or about several beside each other: a file that asks for nothing and works from a disk."""

from .sections import write_report

__all__ = ["write_report"]
