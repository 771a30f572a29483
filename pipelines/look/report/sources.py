"""Opens the images of a page's runs once for all runs that share them."""

from __future__ import annotations

import json
from typing import Any

from sslgraph.read.spec import Recipe

from ...check.request import moved
from ...feed.feed import Source
from ...feed.open_source import open_source


class Sources:
    """Gives the source of a recipe's split; `data` takes the place of what the recipes name, for data that moved."""

    def __init__(self, data: str | None = None) -> None:
        self.data = data
        self._opened: dict[str, Source] = {}

    def __call__(self, recipe: Recipe, split: str, plugins: tuple[str, ...]) -> Source:
        """The images of a split; raises SslgraphError if they can't be had."""
        use, settings = self._named(recipe)
        key = json.dumps([use, settings, split], sort_keys=True, default=str)
        if key not in self._opened:
            self._opened[key] = open_source(use, {**settings, "split": split}, plugins)
        return self._opened[key]

    def words(self, recipe: Recipe) -> str:
        """What the images are called."""
        use, settings = self._named(recipe)
        return str(settings.get("path", use))

    def _named(self, recipe: Recipe) -> tuple[str, dict[str, Any]]:
        if self.data is not None:
            return moved(recipe.data, self.data)
        return recipe.data.use, dict(recipe.data.settings)
