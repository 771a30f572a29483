"""The build hook: in a wheel, components, pipelines and specs lie inside the package `sslgraph`.

An editable install needs no copies: there, `sslgraph` finds them beside its own folder.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OneName(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the three folders under the one import name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling; `version` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"] |= {room: f"sslgraph/{room}" for room in ("components", "pipelines", "specs")}
