"""The kinds of stages, by the word that a pipeline says after `do:`."""

from __future__ import annotations

from collections.abc import Mapping

from .curating import CURATE
from .embedding import EMBED
from .exporting import EXPORT
from .losing import LOSSES
from .masking import MASKS
from .measuring import EVALUATE
from .studying import STUDY
from .training import DISTIL, FINE_TUNE, TRAIN
from .work import StageKind

KINDS: Mapping[str, StageKind] = {
    "train": TRAIN,
    "fine_tune": FINE_TUNE,
    "distil": DISTIL,
    "evaluate": EVALUATE,
    "embed": EMBED,
    "curate": CURATE,
    "masks": MASKS,
    "export": EXPORT,
    "losses": LOSSES,
    "study": STUDY,
}
