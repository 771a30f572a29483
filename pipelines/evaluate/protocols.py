"""The named protocols that measure an encoder: the setting of each in words, and its figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.amounts import percent
from sslgraph.errors import SslgraphError, nearest

from ..measure import online
from ..measure.features import Features
from ..measure.kmeans import kmeans
from ..measure.knn import knn
from ..measure.linear_probe import few_labels, linear_probe
from ..measure.retrieval import retrieval
from ..measure.segmentation import Segmentation
from ..measure.spectra import alpha_req, lidar, rankme, signal
from ..record.vitals import pair
from . import by_recipe, online_probe
from .online_probe import told

SPECTRUM = 2_000  # images whose features' spectrum is measured: it grows with them, so it is always of as many
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """One encoder's features of training and test images; `seen`: of several views of some training images.

    `layers` has the features of its inner layers by name, of training and test images. `classifier` is what the run
    trained beside it. Raw pixels have none of these. `places` is what a linear classifier tells of the places of images
    with label maps. `learn` trains the recipe of a protocol on labels, by its name.
    """

    bank: Features
    queries: Features
    seen: Float[Tensor, "images views dim"] | None = None
    layers: Mapping[str, tuple[Features, ...]] = field(default_factory=dict)
    places: Segmentation | None = None
    classifier: nn.Module | None = None
    learn: Callable[[str], Values] | None = None

    @property
    def rows(self) -> Float[Tensor, "images dim"]:
        """Features of a fixed number of training images."""
        return self.bank.values[draws.fair(len(self.bank.values), SPECTRUM, self.bank.labels)]


@dataclass(frozen=True)
class Figure:
    """How one value of a protocol is called, and written: as a share, or as a number with `digits` digits."""

    key: str
    words: str
    digits: int | None = None

    def written(self, value: float | None) -> str:
        """ "41.2 %" or "18"; "-" for none."""
        return "-" if value is None else percent(value) if self.digits is None else f"{value:.{self.digits}f}"


Step = tuple[tuple[Figure, ...], Callable[[Given], Any]]
ACCURACY = Figure("accuracy", "accuracy")


@dataclass(frozen=True)
class Protocol:
    """A named way to measure, its setting in words, and what it computes, step by step: one that fails stops no other.

    A step gives values by name, a dataclass of them, or None where it has nothing to look at.

    `of_views`: it needs several views of each image, which raw pixels do not have. `layer` is the inner layer whose
    features it is of. `of_places`: it needs images with label maps instead of images. `of_the_run`: it needs the
    classifier that a run trained beside its method, which no other encoder has. `is_recipe`: it trains one on labels.
    """

    setting: str
    steps: tuple[Step, ...]
    needs_labels: bool = True
    of_views: bool = False
    layer: str = ""
    of_places: bool = False
    of_the_run: bool = False
    is_recipe: bool = False

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What it gives, in order."""
        return tuple(figure for figures, _ in self.steps for figure in figures)


def _of(setting: str, measure: Callable[[Given], Any], *figures: Figure, **needs: Any) -> Protocol:
    """A protocol of one step, which gives an accuracy if nothing else is said."""
    return Protocol(setting, ((figures or (ACCURACY,), measure),), **needs)


def _few(share: float) -> Protocol:
    setting = f"as linear, with the labels of {share:.0%} of the training images, as many of each class as there are"
    return _of(setting, lambda given: few_labels(given.bank, given.queries, share=share))


def _of_views(measure: Callable[[Tensor], Any], *figures: Figure) -> Step:
    nothing = dict.fromkeys(figure.key for figure in figures)
    return figures, lambda given: nothing if given.seen is None else measure(given.seen)


PROTOCOLS: dict[str, Protocol] = {
    "linear": _of(
        "logistic regression on standardised features, L2 penalty from 100 to 1e-6 chosen on a held-out tenth of the "
        "training images, then fitted on all",
        lambda given: linear_probe(given.bank, given.queries),
    ),
    online_probe.NAME: _of(
        "the classifier that the run trained beside its method, on features behind a stop-gradient, by the run's own "
        "views, labels and optimizer; asked here about test images under the fixed view; nothing is fitted",
        lambda given: None if given.classifier is None else told(given.classifier, given.bank, given.queries),
        of_the_run=True,
    ),
    "labels_1": _few(0.01),
    "labels_10": _few(0.1),
    "kmeans": _of(
        "as many clusters of the test images' features of unit length as there are classes, best of 10 k-means++ "
        "starts; NMI over the mean entropy; accuracy by the best one-to-one map of clusters to classes (Hungarian)",
        lambda given: kmeans(given.queries),
        Figure("nmi", "NMI", 3), Figure("ari", "ARI", 3), ACCURACY,
    ),
    "retrieval": _of(
        "up to 2,000 test images each rank all training images by cosine; mean average precision of their own class",
        lambda given: retrieval(given.bank, given.queries), Figure("map", "mAP"),
    ),
    "health": Protocol(
        "no labels. RankMe, alpha-ReQ: 2,000 training images. The rest: ten views of 1,000, by training's first view. "
        "RankMe, LiDAR: higher means that more dimensions are in use. alpha-ReQ: best near 1. images / views: higher "
        "means that views of one image lie closer together than different images do. alignment: 0 at best, 2 if views "
        "have nothing in common. uniformity: 0 if all are one, -4 if spread over all directions",
        (
            ((Figure("rankme", "RankMe", 0),), lambda given: {"rankme": rankme(given.rows)}),
            ((Figure("alpha", "alpha-ReQ", 2),), lambda given: {"alpha": alpha_req(given.rows)}),
            _of_views(lambda seen: {"lidar": lidar(seen)}, Figure("lidar", "LiDAR", 0)),
            _of_views(lambda seen: {"signal": signal(seen)}, Figure("signal", "images / views", 2)),
            _of_views(
                lambda seen: {name: float(value) for name, value in pair(seen[:, 0], seen[:, 1]).items()},
                Figure("align", "alignment", 2), Figure("uniform", "uniformity", 2),
            ),
        ),
        needs_labels=False, of_views=True,
    ),
    "dense_linear": _of(
        "images with label maps (--segmentation): a linear classifier of frozen features of places, fitted to the "
        "shares of classes in each, enlarged to pixels; mIoU over all labelled pixels of the test images",
        lambda given: given.places, Figure("miou", "mIoU"), Figure("pixels", "pixels right"),
        needs_labels=False, of_places=True,
    ),
}  # fmt: skip
OF_LAYER = "linear:"  # and the name of a layer
NAMES = ("knn20", "knn200", *PROTOCOLS)


def protocol(name: str, temperature: float = online.Setting.temperature) -> Protocol:
    """The protocol of a name; `knnK` is one for every K, `linear:LAYER` one for every layer of an encoder.

    Those of by_recipe say their setting for each run.

    SslgraphError, with the names that there are, if none is.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if by_recipe.recipe_of(name) is not None:
        return _of("", lambda given: None if given.learn is None else given.learn(name), is_recipe=True)
    if name.startswith(OF_LAYER) and (layer := name.removeprefix(OF_LAYER)):
        setting = f"as linear, of means over places of what {layer} gives"
        return _of(setting, lambda given: linear_probe(*given.layers[layer]) if layer in given.layers else None,
                   layer=layer)  # fmt: skip
    if (found := re.fullmatch(r"knn([1-9]\d{0,5})", name)) is None:
        there = (*NAMES, *by_recipe.published())
        close = nearest(name, there)
        hint = f"; did you mean {close}?" if close else ""
        raise SslgraphError(f"there is no protocol '{name}'; there are: {', '.join(there)}, {OF_LAYER}LAYER{hint}")
    k = int(found[1])
    return _of(
        f"vote of the {k} nearest training images by cosine, weighted by exp(cosine / {temperature:g})",
        lambda given: knn(given.bank, given.queries, k=k, temperature=temperature),
    )


def asked_for(name: str, plugins: tuple[str, ...] = ()) -> Protocol:
    """The protocol of a name that a user writes: what is wrong with the changes in it is said before any training."""
    found = protocol(name)
    if found.is_recipe:
        by_recipe.check_changes(name, plugins)
    return found


def chosen(names: Sequence[str], wish: online.Setting) -> dict[str, Protocol]:
    """The protocols of these names; of none: nearest neighbours with the recipe's k, linear probe, health."""
    wanted = names or (f"knn{wish.k}", "linear", "health")
    return {name: protocol(name, wish.temperature) for name in wanted}


def measures(asked: Mapping[str, Protocol], given: Given) -> Iterator[tuple[str, Values, str]]:
    """Each protocol's name with the values of each of its steps, and in words why there are none."""
    for name, one in asked.items():
        for figures, measure in one.steps:
            try:
                found = measure(given)
                is_value = is_dataclass(found) and not isinstance(found, type)
                yield name, (asdict(found) if is_value else found) or {}, ""
            except (ValueError, RuntimeError) as wrong:  # whatever it finds in these features
                words = ", ".join(figure.words for figure in figures)
                yield name, {}, f"{name}: {words} is not measured: {str(wrong).splitlines()[0]}"
