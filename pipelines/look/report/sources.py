"""Opens the images of a page's runs once for all runs that share them."""

from __future__ import annotations

import json

from sslgraph.read.spec import Recipe

from ...check.request import moved
from ...feed.feed import Source
from ...feed.open_source import images_of


class Sources:
    """Gives the source of a recipe's split; `data` takes the place of what the recipes name, for data that moved."""

    def __init__(self, data: str | None = None) -> None:
        self.data = data
        self._opened: dict[str, Source] = {}

    def __call__(self, recipe: Recipe, split: str, plugins: tuple[str, ...]) -> Source:
        """The images of a split; raises SslgraphError if they can't be had."""
        images = moved(recipe.data, self.data)
        key = json.dumps([images.use, images.settings, split], sort_keys=True, default=str)
        if key not in self._opened:
            self._opened[key] = images_of(images, split, plugins)
        return self._opened[key]

    def words(self, recipe: Recipe) -> str:
        """What the images are called."""
        images = moved(recipe.data, self.data)
        return str(images.settings.get("path", images.use))
