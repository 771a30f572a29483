"""Where the catalogue and the specs lie: beside this package in a checkout, inside it in an installed wheel."""

from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = (HERE / "components").is_dir()
PREFIX = "sslgraph." if INSTALLED else ""
ROOT = HERE if INSTALLED else HERE.parent
COMPONENTS = ROOT / "components"
SPECS = ROOT / "specs"


def source_of(module: str) -> Path | None:
    """The file of a module named in a spec (`my_package.my_module`), found without running it; None if there is none."""
    try:
        found = find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.origin else None
