"""Self-supervised vision methods as graphs: read, wire, settle, compile, train.

    import sslgraph

    method = sslgraph.load("byol", {"nets.f.depth": 18})    # a name, a file, a text or a mapping
    model = method.compile(batch=256)                       # an ordinary torch module
    run = sslgraph.train("demo/byol")                       # a run folder, and the encoder in it

Importing this imports no torch; docs/python.md shows the whole of it.
"""

from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sslgraph.compile.compile import CompiledMethod as CompiledMethod
    from sslgraph.component import component as component
    from sslgraph.errors import SpecError as SpecError
    from sslgraph.errors import SslgraphError as SslgraphError
    from sslgraph.method import Method as Method
    from sslgraph.method import load as load
    from sslgraph.pipelines.own_loop import Recipe as Recipe
    from sslgraph.pipelines.own_loop import load_recipe as load_recipe
    from sslgraph.pipelines.python import TrainedRun as TrainedRun
    from sslgraph.pipelines.python import open_run as open_run
    from sslgraph.pipelines.python import train as train
    from sslgraph.pipelines.weights.plain_weights import plain_weights as plain_weights
    from sslgraph.schedules import Clock as Clock

# In a checkout, components and pipelines are beside this folder; in a wheel they are inside. `sslgraph` is their only
# parent in both, so that a user's own folders of these names are never taken for ours.
if not (_Path(__file__).parent / "components").is_dir():
    __path__.append(str(_Path(__file__).resolve().parent.parent))

__version__ = "0.1.0"

# The public names of each module, which is imported when one of them is first asked for.
_MODULES = {
    "compile.compile": ("CompiledMethod",),
    "component": ("component",),
    "errors": ("SpecError", "SslgraphError"),
    "method": ("Method", "load"),
    "pipelines.own_loop": ("Recipe", "load_recipe"),
    "pipelines.python": ("TrainedRun", "open_run", "train"),
    "pipelines.weights.plain_weights": ("plain_weights",),
    "schedules": ("Clock",),
}
_PUBLIC = {name: f"sslgraph.{module}" for module, names in _MODULES.items() for name in names}
__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'sslgraph' has no attribute '{name}'")
    return getattr(_import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
