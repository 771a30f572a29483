"""Which part of a data set a source gives, in words."""

from __future__ import annotations

from sslgraph.amounts import counted, part_of

from .feed import Source, has_labels


def portion(source: Source) -> str:
    """ "2,000 of 10,000 images, 100 of 100 classes": how much of its split is used, and how many classes are in it."""
    images, classes = getattr(source, "whole", (len(source), 0))
    said = part_of(len(source), images, "image")
    if source.labels is None or not has_labels(source):
        return said
    there = len(source.labels[source.labels >= 0].unique())
    of = f"{there:,} of {classes:,} classes" if len(source) < images else counted(there, "class")
    return f"{said}, {of}"
