"""Compiling: a sized graph becomes a torch module that computes the losses of a batch and keeps the method's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from sslgraph.draws import stream_of
from sslgraph.errors import refusal
from sslgraph.gradients import moved_by, trained_by
from sslgraph.graph import TargetBox
from sslgraph.parts import Encoder, build_parts
from sslgraph.program import Program
from sslgraph.schedules import Clock, Duration, duration, schedule
from sslgraph.sized import SizedGraph, SizedLeg, SizedWrite
from sslgraph.spec import Part, Target
from sslgraph.state import Follower, ScheduledSetting, scheduled
from sslgraph.watch import Watch


class CompiledMethod(nn.Module):
    """The method as a module: `forward` gives the losses, `tick` writes state and moves targets after the step."""

    def __init__(
        self,
        sized: SizedGraph,
        *,
        seed: int = 0,
        plugins: tuple[str, ...] = (),
        given: Mapping[str, Mapping[str, Tensor]] | None = None,
    ) -> None:
        super().__init__()
        self.sized, self.graph = sized, sized.graph
        self.parts = nn.ModuleDict(build_parts(sized, seed=seed, plugins=plugins, given=given or {}))
        boxes = self.graph.boxes
        self.net_names = tuple(n for n in self.parts if boxes[n].section == "nets")
        self.target_names = tuple(n for n in self.parts if boxes[n].section == "targets")
        self.landmarks = sized.landmarks
        self.freezes = self._freezes()
        self.followers = self._followers()
        self.settings: list[ScheduledSetting] = [
            s for name, part in self.parts.items() for s in scheduled(part, sized.settings[name])
        ]
        self.weights = {
            loss.name: schedule(self.graph.loss(loss.name).spec.weight) for loss in self.graph.training.losses
        }
        self.players = self._players()
        self.programs = {leg.leg.name: self._program(leg) for leg in sized.legs}
        self.passes = {leg.leg.name: self._program(leg.then) for leg in sized.legs if leg.then is not None}
        self._step, self._clock = 0, Clock(1, 1)
        self._pending: list[dict[str, Tensor]] = []
        training = self._training
        self.watch = Watch(self.graph, training, dict(self.parts.items()), lambda more: self._program(training, more))
        self.train()

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each loss of a micro-batch, times its weight; what `after_step` will write is remembered for `tick`."""
        leg = self._training
        out = self.watch.run(self.programs[leg.leg.name], batch)
        self._pending.append({name: out[name].detach() for name in self._written(leg)})
        return {name: out[name] * weight.at(self._step, self._clock) for name, weight in self.weights.items()}

    def set_step(self, step: int, clock: Clock) -> None:
        """Fills what moves over the run (temperatures, weights of losses) with the values of this step."""
        self._step, self._clock = step, clock
        for setting in self.settings:
            setting.fill(step, clock)

    @torch.no_grad()
    def tick(self, step: int, clock: Clock) -> None:
        """After the optimizer's step: the writes in the order of the spec, then every target follows its net."""
        leg = self._training
        for write in leg.writes:
            self._write(
                write,
                {
                    port: _in_order([p[piece.tensor] for p in self._pending], piece.views)
                    for port, piece in write.inputs
                },
            )
        self._pending.clear()
        for follower in self.followers:
            follower.follow(step, clock)

    def player_losses(self, losses: Mapping[str, Tensor]) -> list[tuple[Tensor, list[nn.Parameter]]]:
        """For each player the sum of its losses and the parameters that this sum trains."""
        return [
            (torch.stack([losses[name] for name in names]).sum(), self._trained(nets))
            for nets, names in self.players.items()
        ]

    def due_phases(self, step: int, clock: Clock) -> tuple[str, ...]:
        """The passes over the data set that come before this step."""
        return tuple(leg.leg.name for leg in self.sized.legs if not leg.leg.is_training and _is_due(leg, step, clock))

    @torch.no_grad()
    def run_phase(self, name: str, batches: Iterable[Mapping[str, Tensor]]) -> frozenset[str]:
        """Collects one row per image in eval mode and runs the phase's `then`; returns the nets that start afresh.

        `batches` goes once over the data set; the rows stand at the index of their image.
        """
        leg = next(leg for leg in self.sized.legs if leg.leg.name == name)
        self.eval()
        rows, clock = _collect(self.programs[name], leg, batches)
        self.train()
        assert leg.then is not None and leg.leg.phase is not None and leg.leg.phase.collect is not None
        out = self.passes[name]({leg.leg.phase.collect: rows, "clock": clock})
        with torch.random.fork_rng(devices=[]):  # fresh weights are the same on every rank and after a resume
            torch.manual_seed(int(clock[0]) * 65_536 + int(clock[2]) + stream_of(name))
            for write in leg.then.writes:
                self._write(write, {port: out[piece.tensor] for port, piece in write.inputs})
        return frozenset(write.write.box for write in leg.then.writes if write.write.method == "reset")

    def sample_labels(self) -> Tensor | None:
        """The pseudo-labels by which the training phase balances its samples, if it says so."""
        phase = self._training.leg.phase
        if phase is None or not phase.sample:
            return None
        table: Tensor = next(iter(self.parts[phase.sample["balance"]].buffers()))
        return table

    def encoder(self) -> nn.Module:
        """The representation: images [B, 3, H, W] -> features [B, D] of the exported net."""
        name, port = self.graph.exported
        return Encoder(self.parts[name], port)

    def train(self, mode: bool = True) -> CompiledMethod:
        """Train or eval mode; parts whose spec says `mode: eval` stay in it."""
        super().train(mode)
        for name, part in self.parts.items():
            spec = self.graph.boxes[name].spec
            if isinstance(spec, Part | Target) and spec.mode == "eval":
                part.eval()
        return self

    def code(self, leg: str | None = None) -> str:
        """The training step (or another leg) as Python that reads like the paper."""
        return self.programs[leg or self._training.leg.name].code

    def compile_programs(self) -> None:
        """Hands the training step to torch.compile."""
        self.programs[self._training.leg.name].compile()

    @property
    def training_program(self) -> Program:
        """The program of the training step."""
        return self.programs[self._training.leg.name]

    @property
    def _training(self) -> SizedLeg:
        return next(leg for leg in self.sized.legs if leg.leg.is_training)

    def _program(self, leg: SizedLeg, more: Iterable[str] = ()) -> Program:
        float32 = frozenset(name for name, box in self.graph.boxes.items() if box.is_float32)
        outputs = {loss.name: loss.name for loss in leg.leg.losses} | {name: name for name in self._written(leg)}
        if leg.leg.collect is not None:
            (piece,) = leg.pieces[leg.leg.collect]
            outputs[piece.tensor] = piece.tensor
        outputs |= {name: name for name in more}
        return Program(leg, dict(self.parts.items()), float32, outputs)

    def _written(self, leg: SizedLeg) -> list[str]:
        return list(dict.fromkeys(piece.tensor for write in leg.writes for _, piece in write.inputs))

    def _write(self, sized: SizedWrite, tensors: dict[str, Tensor]) -> None:
        write = sized.write
        part = self.parts[write.box]
        if write.method == "reset" and not hasattr(part, "reset"):
            _reset(part)
            return
        ports = self.graph.boxes[write.box].signature.writes.get(write.method, {})
        views = {port: piece.views for port, piece in sized.inputs}
        getattr(part, write.method)(
            **{port: t.unflatten(0, (views[port], -1)) if ports[port].is_bag else t for port, t in tensors.items()}
        )

    def _players(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        reaches = moved_by(self.graph, self.graph.training)
        losses = self.graph.training.losses
        if all(self.graph.loss(loss.name).spec.trains is None for loss in losses):
            return {self.net_names: tuple(loss.name for loss in losses)}
        players: dict[tuple[str, ...], tuple[str, ...]] = {}
        for loss in losses:
            trained = trained_by(self.graph, loss, reaches)
            nets = tuple(n for n in self.net_names if n in trained)
            players[nets] = (*players.get(nets, ()), loss.name)
        return players

    def _trained(self, nets: tuple[str, ...]) -> list[nn.Parameter]:
        return [p for name in nets for p in self.parts[name].parameters() if p.requires_grad]

    def _followers(self) -> list[Follower]:
        targets = [box for box in self.graph.boxes.values() if isinstance(box, TargetBox) and box.name in self.parts]
        return [
            Follower(target=self.parts[box.name], net=self.parts[box.net], momentum=box.spec.momentum)
            for box in targets
        ]

    def _freezes(self) -> dict[str, Duration]:
        found: dict[str, Duration] = {}
        for name in self.net_names:
            spec = self.graph.boxes[name].spec
            freeze = spec.freeze if isinstance(spec, Part) else None
            for inner, text in (freeze if isinstance(freeze, dict) else {"": freeze} if freeze else {}).items():
                if inner and inner not in dict(self.parts[name].named_modules()):
                    there = tuple(n for n, _ in self.parts[name].named_children())
                    here = self.graph.place(("nets", name, "freeze"))
                    raise refusal(here, f"'{name}' has no part '{inner}' to freeze", there_are=there)
                found[f"parts.{name}.{inner}".rstrip(".")] = duration(text)
        return found


def _in_order(pieces: list[Tensor], views: int) -> Tensor:
    """The micro-batches' rows as if they had been one batch: within each view, one after the other."""
    if len(pieces) == 1:
        return pieces[0]
    return torch.cat([p.unflatten(0, (views, -1)) for p in pieces], dim=1).flatten(0, 1)


def _collect(program: Program, leg: SizedLeg, batches: Iterable[Mapping[str, Tensor]]) -> tuple[Tensor, Tensor]:
    indices, rows, clock = [], [], torch.zeros(3, dtype=torch.int64)
    (piece,) = leg.pieces[str(leg.leg.collect)]
    for batch in batches:
        rows.append(program(batch)[piece.tensor].float())
        indices.append(batch["draw"][:, 2])
        clock = batch.get("clock", clock)
    order = torch.cat(indices).argsort()
    return torch.cat(rows)[order.to(rows[0].device)], clock


def _is_due(leg: SizedLeg, step: int, clock: Clock) -> bool:
    phase = leg.leg.phase
    assert phase is not None
    if phase.at is not None:
        return any(round(duration(time).steps(clock)) == step for time in phase.at)
    start = round(duration(phase.start).steps(clock)) if phase.start else 0
    every = max(1, round(duration(phase.every or "1 epoch").steps(clock)))
    return step >= start and (step - start) % every == 0


def _reset(part: nn.Module) -> None:
    for module in part.modules():
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
