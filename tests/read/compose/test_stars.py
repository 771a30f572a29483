"""One star in a path: what it matches, and what is said where it matches nothing."""

from pathlib import Path

import pytest
from texts import MOCO, put, shelf_of_specs  # noqa: F401 - the fixture shelf

from sslgraph.errors import SpecError
from sslgraph.read.load import load_method, load_recipe
from sslgraph.read.spec import Method

PLAIN = """\
augmentation: plain
steps:
  crop: {use: augment.random_resized_crop, size: 32}
  flip: {use: augment.horizontal_flip, p: 0.5}
"""
BLURRED = PLAIN.replace("plain", "blurred") + "  blur: {use: augment.gaussian_blur, p: 0.5}\n"
WIDE = """\
views:
  x: {augment: plain}
  xb: {augment: blurred}
nets:
  f: {use: backbones.resnet, depth: 50}
  d: {use: heads.mae_decoder, depth: 8}
targets:
  fk: {ema_of: f, momentum: 0.9}
  dk: {ema_of: d, momentum: {cosine: [0.99, 1.0]}}
  old: {snapshot_of: fk, every: 1 epoch}
flow: {h: f(x), hb: f(xb)}
losses:
  one: {use: losses.info_nce, of: [h, hb]}
  two: {use: losses.cosine_regression, of: [h, hb]}
export: f
"""
BASE = """\
recipe: base
set: SET
data: {use: sources.shapes}
epochs: 4
batch: 64
optimizer: {use: sgd, lr: 0.06}
"""


@pytest.fixture(name="wide")
def shelf_with_a_wide_method(shelf: Path) -> Path:
    """The shelf with a method of several views, nets, targets and losses, each of its own kind."""
    put(shelf, "augmentations/plain", PLAIN)
    put(shelf, "augmentations/blurred", BLURRED)
    put(shelf, "methods/wide", f"method: Wide\n{WIDE}")
    return shelf


def set_to(path: str, value: object = 1) -> Method:
    return load_method("wide", overrides={path: value}).spec


def refused(path: str, value: object = 1) -> str:
    with pytest.raises(SpecError) as caught:
        set_to(path, value)
    return str(caught.value)


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    "path, reached",
    [
        ("views.*.blur.p", {"views.xb.blur.p"}),  # the augmentation of x has no blur
        ("views.*.size", {"views.x.size", "views.xb.size"}),
        ("views.*.copies", {"views.x.copies", "views.xb.copies"}),
        ("nets.*.depth", {"nets.f.depth", "nets.d.depth"}),
        ("nets.*.stem", {"nets.f.stem"}),
        ("nets.*.width", {"nets.f.width"}),  # the decoder infers its width
        ("nets.*.frozen", {"nets.f.frozen", "nets.d.frozen"}),
        ("targets.*.stem", {"targets.fk.stem", "targets.old.stem"}),  # a setting of the net that it follows
        ("targets.*.momentum", {"targets.fk.momentum", "targets.dk.momentum"}),
        ("targets.*.momentum.cosine", {"targets.dk.momentum.cosine"}),
        ("targets.*.every", {"targets.old.every"}),
        ("targets.*.at_most", {"targets.old.at_most"}),
        ("targets.*.momentum.over", {"targets.dk.momentum.over"}),
        ("losses.*.temperature", {"losses.one.temperature"}),
        ("losses.*.negatives", {"losses.one.negatives"}),  # a port
        ("flow.*", {"flow.h", "flow.hb"}),
    ],
)
def test_a_star_matches_all_that_take_the_rest_of_the_path(path: str, reached: set[str]) -> None:
    values = {"momentum.cosine": [0.5, 1.0], "momentum.over": "2 epochs", "momentum": 0.5, "frozen": True,
              "stem": "cifar", "every": "2 epochs", "negatives": "hb", "flow.*": "f(x)"}  # fmt: skip
    value = next((value for end, value in values.items() if path.endswith(end)), 1)
    assert set_to(path, value) == load_method("wide", overrides=dict.fromkeys(sorted(reached), value)).spec


@pytest.mark.usefixtures("wide")
def test_changes_are_made_in_the_order_in_which_they_are_written() -> None:
    both = load_method("wide", overrides={"views.*.size": 32, "views.xb.size": 16}).spec.views
    assert (both["x"].settings["size"], both["xb"].settings["size"]) == (32, 16)


def test_what_a_node_writes_is_reached_though_its_part_would_infer_it(wide: Path) -> None:
    put(wide, "methods/wide", "method: Wide\n" + WIDE.replace("depth: 8", "depth: 8, width: 4"))
    assert set_to("nets.*.width", 16).nets["d"].settings["width"] == 16


@pytest.mark.usefixtures("shelf")
def test_items_of_a_list_are_counted_or_named() -> None:
    phases = load_method("program", overrides={"phases.*.losses.ce.weight": 2}).spec.phases
    assert phases[1].losses["ce"].weight == 2
    lists = {"optimizer": {"use": "sgd", "groups": [{"ndim": 1, "lr": 1}, {"net": "f"}]}, "optimizer.groups.*.lr": 3}
    assert load_recipe("small/moco", lists).spec.optimizer["groups"] == [{"ndim": 1, "lr": 3}, {"net": "f"}]


def test_a_setting_of_a_part_of_ones_own_is_matched_where_it_is_written(wide: Path) -> None:
    own = 'f: {use: "starred_part:Mine", scale: 1.0}'
    put(wide, "methods/wide", "method: Wide\n" + WIDE.replace("f: {use: backbones.resnet, depth: 50}", own))
    assert set_to("nets.*.scale", 2.0).nets["f"].settings == {"scale": 2.0}
    assert set_to("nets.*.frozen", True).nets["f"].frozen
    said = refused("nets.*.size", 2.0)
    assert said.endswith("a setting of a part of your own is matched only where its line writes it")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    "path, said",
    [
        (
            "views.*.blurr.p",
            "--set views.*.blurr.p: 'views.*.blurr.p' matches nothing: nothing in views has 'blurr.p'\n"
            "  there are: augment, blur.",
        ),
        ("views.*.blurr.p", "  did you mean 'blur.p'?"),
        ("nets.*.temperature", "nothing in nets has 'temperature'\n  there are: channels, depth, dim, dtype, "),
        ("state.*.size", "the text has no 'state'\n  there are: method, views, nets"),
        ("netz.*.depth", "the text has no 'netz'"),
        ("netz.*.depth", "did you mean 'nets'?"),
        ("*.f.depth", "the text has no '*'"),
        ("losses.*.of.*", "'losses.*.of.*' has several stars, and a path has one at most"),
        ("flow.*.x", "nothing in flow has 'x'"),
    ],
)
def test_a_star_that_matches_nothing_is_refused_with_what_there_is(path: str, said: str) -> None:
    assert said in refused(path)


def test_a_star_in_a_recipe_is_refused_at_its_line(wide: Path) -> None:
    file = put(wide, "recipes/r", "method: wide\n" + BASE.replace("SET", "{nets.*.depht: 18}"))
    with pytest.raises(SpecError, match=r"r.yaml:3:7: 'nets.\*.depht' matches nothing(.|\n)*'depth'\?"):
        load_recipe(file)


def test_a_star_in_a_base_may_match_nothing_in_a_method_if_some_part_of_the_catalogue_has_the_setting(
    wide: Path,
) -> None:
    put(wide, "methods/bare", f"method: Bare\n{WIDE}")
    put(wide, "recipes/b/base", BASE.replace("SET", "{state.*.size: 8, views.*.solarize.p: 0, nets.*.preset: tiny}"))
    put(wide, "augmentations/sunny", PLAIN.replace("plain", "sunny") + "  solarize: {use: augment.solarize, p: 1}\n")
    assert load_recipe("b/bare").spec.method == load_method("bare").spec
    for wrong in ("views.*.solarise.p", "nets.*.presett"):
        put(wide, "recipes/b/base", BASE.replace("SET", f"{{{wrong}: 0}}"))
        with pytest.raises(SpecError, match=rf"base.yaml:2:7: '{wrong}' matches nothing".replace("*", r"\*")):
            load_recipe("b/bare")


def test_a_base_reaches_a_method_that_is_written_later(wide: Path) -> None:
    put(wide, "recipes/b/base", BASE.replace("SET", "{targets.*.momentum: 0.5}"))
    put(wide, "methods/new", MOCO.replace("plain", "blurred"))
    targets = load_recipe("b/new").spec.method.targets
    assert {name: target.momentum for name, target in targets.items()} == {"fk": 0.5, "gk": 0.5}


def test_a_star_passes_by_what_a_view_of_anothers_crop_may_not_set(wide: Path) -> None:
    put(
        wide,
        "methods/wide",
        "method: Wide\n" + WIDE.replace("augment: blurred", "augment: blurred, crop_of: x"),
    )
    spec = load_method("wide", overrides={"views.*.scale": [0.3, 1.0], "views.*.size": 8, "views.*.flip.p": 0}).spec
    assert spec.views["x"].settings == {"scale": [0.3, 1.0], "size": 8, "flip.p": 0}
    assert spec.views["xb"].settings == {"size": 8}
    assert set_to("views.*.blur.p", 0).views["xb"].settings == {"blur.p": 0}
