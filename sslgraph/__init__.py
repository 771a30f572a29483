"""Self-supervised vision methods as graphs: read, wire, settle, compile, train."""

from pathlib import Path as _Path

# In a checkout, components and pipelines lie beside this folder; in a wheel they lie inside. `sslgraph` is their only
# parent in both, so that a user's own folders of these names are never taken for ours.
_BESIDE = _Path(__file__).resolve().parent.parent
if not (_Path(__file__).parent / "components").is_dir():
    __path__.append(str(_BESIDE))

__version__ = "0.1.0"
