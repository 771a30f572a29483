"""The traits of a part: the keywords of `@component(...)`, read as text, without importing the part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Part = TypeVar("Part", bound=type)

Role = Literal[
    "",
    # nets
    "encoder",
    "decoder",
    "discriminator",
    "prototypes",
    "rows",  # no image makes them: it takes no input
    # states
    "queue",  # rows of the last steps
    "bank",  # a row for each image
    "centre",  # a running mean
    # ops
    "codes",  # its first port takes scores, which it spreads evenly over the prototypes
    "clusters",
    "mask",
    # steps of an augmentation
    "normalization",  # with `mean` and `std` for each channel
    "resampling",  # the one part that moves pixels; it runs the frames of all other steps
    # sources
    "reader",  # `recognizes(path)` says whether it reads that path
    "last reader",  # reads what no other reader recognizes
    "label maps",  # its `pair(index)` is an image and the class of each of its pixels; it takes `ignore`
    "films",  # `about(index)` and `clip(index, frames=, stride=)` of its frames of videos
    "stand-in films",  # makes such films itself, for stages that name no videos
    "stand-in",  # makes its images itself, for runs that name no data
]
Trouble = Literal["collapse", "few directions"]


# What is seen of an image: hidden patches, hidden blocks, a hole, tiles, tiles in disorder, turns, lightness and
# colours, no colours, boxes.
Shows = Literal["", "mask", "blocks", "hole", "tiles", "shuffled", "turns", "Lab", "grey", "boxes"]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """The traits of a part; `@component(...)` makes them and marks a class with them.

    The linter, pictures, comparisons, remedies and checks know a part by its traits alone, so that a part of your own
    is treated like a shipped one. Each trait is a literal, because it is read from the file's text.

    Any part:
        source: where its mathematics comes from (paper, equation).
        title: how the field writes its name, where the class's name can't: "NT-Xent", "k-means".
        role: what it is there for in a method, where its place does not say so.
        hides: the input ports that say which places of its input it leaves out or replaces.
        fixed: the input ports that are taken as given: a gradient into them is not stopped, and not meant.
        detached: the input ports through which no gradient passes; "*" means all of them.
        float32: it computes in float32 with autocast off, as every loss does.
        spans_batch: its value for a batch is not the mean of its values for the batch's parts.
        unless: the optional port that, once connected, takes the place of the batch's own rows: it spans no batch then.
        weighed_by: the optional port whose sum is the denominator of a mean. Where an `uneven` op makes it, the value
            for a batch is not the mean over its parts, either.
        uneven: it marks more places of one image than of another.
        older: the optional port through which rows of earlier steps join those of the batch.
        sane: the lowest and the highest value that publications use of a setting, with a margin.
        rows: the length of the rows that it gives (a loss: that it needs): "unit", "raw" (any), "same" (as they came).
        cuts: the port of whose places it keeps those from its setting `start` to `stop`.
        folds: the port whose parts of an image it makes rows, which follow each other image by image.
        factor: the setting by which it multiplies what it is given, before it adds its setting `shift`.
        multiplies: the two ports whose rows it takes the dot products of.
        reorders: "away": its rows come in another order; "back": they come in their first order again.
        places: the port whose places it pools: the tokens of a sequence, or the cells of a map.
        shows: what a picture shows of what it does to an image: "mask", "tiles", "turns" and others below.

    Any part:
        idea: what a paper calls what it is there for: "jigsaw tiles"; of what `repels`, unless that is negative pairs:
            "redundancy reduction".

    A loss:
        kind: the field's short word for what it measures: "cross-entropy".
        affine_in: the quantity in which it is affine. Losses that are affine in one quantity are equal up to a constant
            factor and offset.
        agrees: the two ports that it brings together, the one that is trained first. Unless the loss `repels`, a
            constant output is its best. A setting PORT_temperature belongs to the port.
        compares: "distance": that of the two ports of `agrees`, as they come; their lengths matter.
        centred_by: the optional port whose value is taken off the second port of `agrees`, against a constant output.
        repels: what it, or an op such as a whitening, holds apart: "samples" or "features".
        classifies: the port of scores, with the classes on its last axis, and the port of class numbers.
        remedies: what to do in a kind of trouble: "collapse", or "few directions" of the features in use.
    """

    source: str
    title: str = ""
    role: Role = ""
    hides: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    detached: tuple[str, ...] = ()
    float32: bool = False
    spans_batch: bool = False
    unless: str = ""
    weighed_by: str = ""
    uneven: bool = False
    older: str = ""
    sane: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    rows: Literal["", "unit", "raw", "same"] = ""
    reorders: Literal["", "away", "back"] = ""
    places: str = ""
    cuts: str = ""
    folds: str = ""
    factor: str = ""
    multiplies: tuple[str, str] = ("", "")
    shows: Shows = ""
    kind: str = ""
    affine_in: str = ""
    agrees: tuple[str, str] = ("", "")
    compares: Literal["", "distance"] = ""
    centred_by: str = ""
    repels: Literal["", "samples", "features"] = ""
    idea: str = ""
    classifies: tuple[str, str] = ("", "")
    remedies: Mapping[Trouble, str] = field(default_factory=dict)

    def __call__(self, part: Part) -> Part:
        """Marks a class as a part that specs can name; returns the class, which now has these `traits`."""
        part.traits = self  # type: ignore[attr-defined]
        return part

    @property
    def named_ports(self) -> dict[str, tuple[str, ...]]:
        """For each trait that names input ports, the ports that it names."""
        ports = {
            trait: getattr(self, trait)
            for trait in ("hides", "fixed", "detached", "agrees", "classifies", "multiplies")
        }
        ports |= {
            trait: (getattr(self, trait),)
            for trait in ("unless", "weighed_by", "older", "centred_by", "places", "cuts", "folds")
        }
        return {trait: tuple(filter(None, names)) for trait, names in ports.items()}

    @property
    def is_stop(self) -> bool:
        """Whether it hands its rows on as they came and stops the gradient, and does nothing else."""
        return self.rows == "same" and bool(self.detached) and not self.reorders
