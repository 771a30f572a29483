"""What turns one method into another: nodes are matched by role and wiring, never by name.

Reads texts and the signatures of parts, of plugins only where they are allowed: no torch. Titles, families and
papers are not compared.
"""

from .changes import Added, Change, Changed, Removed, Rewired
from .compare import Comparison, diff
from .explain import account
from .figure import Figure
from .idea import FORWARDS, Idea
from .ideas import ideas
from .statements import Account, Statement

__all__ = [
    "FORWARDS", "Account", "Added", "Change", "Changed", "Comparison", "Figure", "Idea", "Removed", "Rewired",
    "Statement", "account", "diff", "ideas",
]  # fmt: skip
