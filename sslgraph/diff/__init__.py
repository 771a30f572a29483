"""What makes one method into another: nodes matched by their role and their wiring, never by their letters.

Reads texts only: no signature, no plugin, no torch. Titles, families and papers are not compared.
"""

from .changes import Added, Change, Changed, Removed, Rewired, mirrored
from .compare import diff
from .words import in_words

__all__ = ["Added", "Change", "Changed", "Removed", "Rewired", "diff", "in_words", "mirrored"]
