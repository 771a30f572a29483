"""The model card of an export: where the weights come from, how they are used, and what they were measured at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sslgraph import __version__, drawing
from sslgraph.amounts import counted
from sslgraph.read.load import load_recipe

from ..check.check import examine
from ..evaluate.evaluation import FILE as EVALUATION
from ..evaluate.evaluation import figures_of
from ..storage import checkpoint, provenance

CARD, PICTURE, RECIPE = "README.md", "picture.svg", "recipe.yaml"
LICENCE = (
    "The weights are yours: sslgraph's code is Apache-2.0 and claims nothing over what you train with it; the licence "
    "of the images may."
)
ROWS = {"trained": "this encoder", "random": "before training", "pixels": "raw pixels"}
# How each form is opened again; FOLDER is this folder, `images` are prepared as said below.
USE = {
    "safetensors": 'weights = safetensors.torch.load_file("FOLDER/model.safetensors")',
    "timm": 'model = timm.create_model("local-dir:FOLDER", pretrained=True).eval()\nfeatures = model(images)',
    "torchvision": (
        "model = torchvision.models.{architecture}()\nmodel.fc = torch.nn.Identity()\n"
        'model.load_state_dict(safetensors.torch.load_file("FOLDER/model.safetensors"))\n'
        "features = model.eval()(images)"
    ),
    "hf": (
        'prepare = transformers.AutoImageProcessor.from_pretrained("FOLDER")  # transformers reads it through timm\n'
        'model = transformers.AutoModel.from_pretrained("FOLDER").eval()\n'
        "features = model(**prepare(pictures)).pooler_output"
    ),
    "onnx": (
        'session = onnxruntime.InferenceSession("FOLDER/model.onnx")\n'
        '(features,) = session.run(["features"], {{"image": images}})'
    ),
    "torch.export": 'features = torch.export.load("FOLDER/model.pt2").module()(images)',
}
LIBRARIES = {"timm": "timm", "hf": "transformers", "onnx": "onnx"}


@dataclass(frozen=True)
class Facts:
    """What is known of a run: its method, recipe and picture, its last start, its measures in words."""

    method: str
    export: str
    recipe: Mapping[str, Any]
    picture: bytes
    start: Mapping[str, Any]
    measures: tuple[str, ...]


def facts(run: Path, saved: Path, plugins: tuple[str, ...]) -> Facts:
    """Reads them from a run folder and one of its checkpoints."""
    text = saved / checkpoint.TEXT
    sized, spec = examine(str(text), plugins=plugins).sized, load_recipe(str(text)).spec
    assert sized is not None
    picture = drawing.svg(drawing.picture(sized)).encode()
    starts = provenance.read(run)
    plain = _without_places(yaml.safe_load(text.read_text(encoding="utf-8")))
    measures = tuple(_measures(run, saved))
    return Facts(spec.method.method, spec.method.export, plain, picture, starts[-1] if starts else {}, measures)


def write(told: Facts, about: Mapping[str, Any], folder: Path) -> None:
    """Writes the card, the picture and the recipe."""
    (folder / PICTURE).write_bytes(told.picture)
    (folder / RECIPE).write_text(yaml.safe_dump(dict(told.recipe), sort_keys=False, width=120), encoding="utf-8")
    (folder / CARD).write_text("\n".join(_lines(told, about)), encoding="utf-8")


def _lines(told: Facts, about: Mapping[str, Any]) -> Iterator[str]:
    to, start = str(about["to"]), told.start
    library = f"library_name: {LIBRARIES[to]}\n" if to in LIBRARIES else ""
    yield f"---\n{library}pipeline_tag: image-feature-extraction\ntags: [self-supervised-learning, sslgraph]\n---"
    yield f"# {told.method}: an encoder without labels\n\n![{told.method} as sslgraph draws it]({PICTURE})\n"
    yield f"## Use\n\n```python\n{USE[to].format_map(about)}\n```\n"
    apart = f"differ by at most {about['difference']:.1e} from" if about.get("difference") else "equal"
    near = f" On two random images they {apart} those of the run." if "difference" in about else ""
    yield f"The features are `{told.export}` of the method.{near}"
    if not about.get("is_whole", True):
        yield "That is more than this network gives: the method does the rest, and the measures below are of the whole."
    yield f"\n## Images\n\n{_images(about)}\n"
    images = f"{start['images']:,} images" if "images" in start else "images"
    source = told.recipe.get("data", {}).get("use", "")
    yield f"## Training\n\n{images} ({source}), {counted(about['step'], 'step')} of {told.recipe.get('batch')} images."
    yield f"[{RECIPE}]({RECIPE}) is the whole recipe: `sslgraph train {RECIPE} --data PATH` trains it again.\n"
    yield "## Measures\n"
    yield from told.measures or ("Not measured.",)
    commit = f", commit {start['commit']}" if start.get("commit") else ""
    made = f"trained with sslgraph {start.get('sslgraph', __version__)}{commit}, torch {start.get('torch', 'unknown')}"
    yield f"\n## Code\n\nsslgraph {__version__} wrote this export; {made}.\n"
    yield f"## Licence\n\n{LICENCE}\n"


def _images(about: Mapping[str, Any]) -> str:
    size, shorter = about["size"], about["shorter"]
    mean, std = (", ".join(f"{value:g}" for value in about[name]) for name in ("mean", "std"))
    values = f"values from 0 to 1, less {mean}, divided by {std}" if any(about["mean"]) else "values from 0 to 1"
    return (
        f"RGB; the shorter side resized to {shorter} ({about['interpolation']}), the central {size} x {size}; {values}."
    )


def _measures(run: Path, saved: Path) -> Iterator[str]:
    """What `sslgraph evaluate` found, with what needs no training beside it; else what training measured."""
    with suppress(OSError, ValueError, KeyError):  # none, or one of an earlier form
        found = json.loads((run / EVALUATION).read_text(encoding="utf-8"))
        yield f"At step {found['step']:,}; {found['bank']:,} training and {found['queries']:,} test images.\n"
        names, settings = [name for name in found["trained"] if figures_of(name)], found["settings"]
        figures = [(name, figure) for name in names for figure in figures_of(name)]
        yield f"| | {' | '.join(ROWS.values())} |\n|---|{len(ROWS) * '---|'}"
        for name, figure in figures:
            cells = (figure.written(found[side].get(name, {}).get(figure.key)) for side in ROWS)
            yield f"| {name} {figure.words} | {' | '.join(cells)} |"
        yield ""
        yield from (f"* {name}: {settings[name]}" for name in names)
        return
    for name, value in checkpoint.measures_of(saved).items():
        yield f"* {name} during training: {value:.4g}"


def _without_places(value: Any) -> Any:
    """A text whose absolute paths are names alone: where files lay on a machine is nobody else's."""
    if isinstance(value, dict):
        return {key: _without_places(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_places(inner) for inner in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
