"""Runs the stages of a pipeline: done ones are skipped, and a failed one does not stop the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sslgraph.errors import SslgraphError, unknown

from .one_stage import Say, before, do, leave_no_empty
from .stage_plan import Planned


def run(
    stages: Sequence[Planned], say: Say, *, only: Collection[str] = (), plugins: tuple[str, ...] = (),
    workers: int = 1, address: str | None = None,
) -> None:  # fmt: skip
    """Makes what is not made; an interrupted training continues. SslgraphError if a stage failed, after all others.

    With several workers, or the address of a Ray cluster, so many stages run at a time.
    """
    refuse_strange(stages, only)
    by_name = {stage.name: stage for stage in stages}
    wanted = [stage for stage in stages if not only or {stage.name, stage.base} & set(only)]
    plugins = tuple(dict.fromkeys([*plugins, *(one for stage in stages for one in stage.request.get("plugins", ()))]))
    is_alone = workers == 1 and address is None
    if is_alone or all(stage.state == "done" for stage in wanted):
        failed = _one_by_one(wanted, by_name, say, plugins)
    else:
        from ..launch import spread
        from .side_by_side import side_by_side

        with spread.crew(workers, address) as crew:
            failed = side_by_side(wanted, by_name, say, plugins, crew)
    if failed:
        told = "; ".join(f"{name}: {problem}" for name, problem in failed.items())
        raise SslgraphError(f"{len(failed)} of {len(stages)} stages are not done: {told}")


def refuse_strange(stages: Sequence[Planned], only: Collection[str]) -> None:
    """SslgraphError if a name of `only` is that of no stage."""
    known = dict.fromkeys(name for stage in stages for name in (stage.base, stage.name))
    if strange := [name for name in only if name not in known]:
        raise SslgraphError(str(unknown((), "--only: there is no stage", strange[0], known)))


def _one_by_one(
    wanted: Sequence[Planned], by_name: Mapping[str, Planned], say: Say, plugins: tuple[str, ...]
) -> dict[str, str]:
    """Why which stages are not done, in words."""
    failed = dict[str, str]()
    for stage in wanted:
        if stage.state == "done":
            say(before(stage))
            continue
        lacks = [other for other in stage.inputs.values() if other in by_name and by_name[other].state != "done"]
        if lacks:
            failed[stage.name] = f"waits for {lacks[0]}"
            say(f"{stage.name}: {failed[stage.name]}, which is not done")
            continue
        try:
            do(stage, by_name, say, plugins)
        except SslgraphError as wrong:
            failed[stage.name] = str(wrong).partition("\n")[0]
            leave_no_empty(stage.folder)
            say(f"{stage.name}: failed: {wrong}")
    return failed
