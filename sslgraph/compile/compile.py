"""Compiling: a sized graph becomes a torch module that computes the losses of a batch and keeps the method's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from sslgraph.compile import freezing
from sslgraph.compile.after_step import Writes, checked, collected, write_all, write_pass, written
from sslgraph.compile.follow import Follower, Taker, scheduled
from sslgraph.compile.program import Program
from sslgraph.compile.step_order import StepOrder
from sslgraph.compile.watch import Watch
from sslgraph.compile.weights import Encoder, build_parts
from sslgraph.draws import stream_of
from sslgraph.errors import SslgraphError, placed
from sslgraph.read.spec import ALWAYS, Part, Target
from sslgraph.schedules import Clock, Duration, duration, schedule
from sslgraph.settle.evaluating import evaluating
from sslgraph.settle.sized import SizedGraph, SizedLeg
from sslgraph.wire.gradients import moved_by, trained_by


class Output(NamedTuple):
    """What a forward pass gives: each loss times its weight, and the detached tensors that `tick` takes."""

    losses: dict[str, Tensor]
    writes: Writes


class CompiledMethod(nn.Module):
    """The method as an ordinary module; one optimizer step is

        model.begin(step, clock)            # schedules take the values of this step
        losses, writes = model(batch)       # changes nothing; once for each micro-batch
        ...                                 # backward, optimizer
        model.tick(writes)                  # or a list, one for each micro-batch: state is written, targets follow

    A validation loss needs neither `begin` nor `tick`: with the model in eval mode under `torch.no_grad()`, `forward`
    works with the schedules of the last step begun, or of the first step, and leaves every weight and state as it is.
    """

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
        self._training = sized.training
        boxes = self.graph.boxes
        with placed(self.graph.place):
            self.parts = nn.ModuleDict(build_parts(sized, seed=seed, plugins=plugins, given=given))
            self.net_names = tuple(n for n in self.parts if boxes[n].section == "nets")
        self.freezes: dict[str, Duration] = {
            f"parts.{name}": duration(until) for name, until in sized.freezes.items() if until != ALWAYS
        }
        self.target_names = tuple(n for n in self.parts if boxes[n].section == "targets")
        self.landmarks = sized.landmarks
        self.followers = self._followers()
        self.settings = [s for name, part in self.parts.items() for s in scheduled(part, sized.settings[name])]
        self.weights = {
            loss.name: schedule(1.0 if isinstance(weight := self.graph.loss(loss.name).spec.weight, str) else weight)
            for loss in self.graph.training.losses
        }
        self.players = self._players()
        self.programs = {leg.leg.name: self._program(leg) for leg in sized.legs}
        self.passes = {leg.leg.name: self._program(leg.then) for leg in sized.legs if leg.then is not None}
        self.order = StepOrder()
        self.register_load_state_dict_post_hook(_begin_anew)
        self._factors = {name: weight.first for name, weight in self.weights.items()}
        self._written = written(self._training)
        self.watch = Watch(self.graph, self._training, dict(self.parts.items()))
        self.train()

    if TYPE_CHECKING:

        def __call__(self, batch: Mapping[str, Tensor]) -> Output: ...

    def forward(self, batch: Mapping[str, Tensor]) -> Output:
        """The losses of a micro-batch and what `tick` is to write; changes nothing itself.

        `batch` maps names such as "x1.image" to tensors. Raises SslgraphError if one is missing, or if the module
        trains (train mode, gradients on) and no step is begun.
        """
        is_training = self.training and torch.is_grad_enabled()
        if is_training and self.order.open is None:
            raise SslgraphError(
                "no step is begun: call model.begin(step, clock) before the forward pass of a step; for a validation "
                "loss call model.eval() and use torch.no_grad()"
            )
        program = self.training_program
        out = self.watch.run(program, batch) if is_training else program(batch)
        losses = {name: out[name] * factor for name, factor in self._factors.items()}
        return Output(losses, {name: out[name].detach() for name in self._written})

    def begin(self, step: int, clock: Clock) -> None:
        """Opens an optimizer step (counted from 0): temperatures, weights of losses and the like take its values.

        What `freeze:` holds still at this step is held until `tick`, whatever optimizer of torch steps the rest. A step
        that is given up is begun again; raises SslgraphError if `tick` did not close the step before, or closed this
        one or a later one since a state was loaded.
        """
        self.order.begin(step, clock)
        freezing.hold(self, self.freezes, step, clock)
        self._factors = {name: weight.at(step, clock) for name, weight in self.weights.items()}
        for setting in self.settings:
            setting.fill(step, clock)

    @torch.no_grad()
    def tick(self, writes: Writes | Sequence[Writes]) -> None:
        """Closes the step, after the optimizer's: writes in the order of the spec, then every target follows its net.

        `writes` is what the step's forward pass gave, or a list of what those of its micro-batches gave, in order.
        Raises SslgraphError if no step is open, so once more for the same step, or if these are other writes.
        """
        step, clock = self.order.begun()
        write_all(self.graph, self.parts, self._training, checked(writes, self._written))
        for follower in self.followers:
            follower.follow(step, clock)
        self.order.close()
        freezing.release(self)

    def player_losses(self, losses: Mapping[str, Tensor]) -> list[tuple[Tensor, list[nn.Parameter]]]:
        """For each player the sum of its losses and the parameters that this sum trains."""
        sums = [torch.stack([losses[name] for name in names]).sum() for names in self.players.values()]
        return list(zip(sums, map(self._trained, self.players), strict=True))

    def due_phases(self, step: int, clock: Clock) -> tuple[str, ...]:
        """The passes over the data set that come before this step."""
        return tuple(leg.leg.name for leg in self.sized.legs if not leg.leg.is_training and _is_due(leg, step, clock))

    @torch.no_grad()
    def run_phase(self, name: str, batches: Iterable[Mapping[str, Tensor]]) -> frozenset[str]:
        """Collects one row per image in eval mode and runs the phase's `then`; returns the nets that start afresh.

        `batches` goes once over the data set; the rows are at the index of their image. A phase that collects
        nothing takes the clock of the first batch, and no more.
        """
        leg = next(leg for leg in self.sized.legs if leg.leg.name == name)
        with evaluating(self):
            given = collected(self.programs[name], leg, batches)
        assert leg.then is not None
        clock = given["clock"]
        with torch.random.fork_rng(devices=[]):  # fresh weights are the same on every rank and after a resume
            torch.manual_seed(int(clock[0]) * 65_536 + int(clock[2]) + stream_of(name))
            write_pass(self.graph, self.parts, leg.then, self.passes[name], given)
        return frozenset(write.write.box for write in leg.then.writes if write.write.method == "reset")

    def sample_labels(self) -> Tensor | None:
        """The pseudo-labels by which the training phase balances its samples, if it says so."""
        phase = self._training.leg.phase
        if phase is None or not phase.sample:
            return None
        table: Tensor = next(iter(self.parts[phase.sample["balance"]].buffers()))
        return table

    def encoder(self) -> Encoder:
        """The representation: images [B, 3, H, W] -> features [B, D]."""
        return Encoder(self._program(self.sized.export), self.graph.exported)

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

    def compile_programs(self, *, graphs: bool = False) -> None:
        """Hands the training step to torch.compile; with `graphs` a GPU replays it as CUDA graphs."""
        self.training_program.compile(graphs=graphs)

    @property
    def training_program(self) -> Program:
        """The program of the training step."""
        return self.programs[self._training.leg.name]

    def _program(self, leg: SizedLeg) -> Program:
        float32 = frozenset(name for name, box in self.graph.boxes.items() if box.is_float32)
        outputs = {loss.name: loss.name for loss in leg.leg.losses} | {name: name for name in written(leg)}
        if leg.leg.collect is not None:
            (piece,) = leg.pieces[leg.leg.collect]
            outputs[piece.tensor] = piece.tensor
        return Program(leg, dict(self.parts.items()), float32, outputs)

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

    def _followers(self) -> list[Follower | Taker]:
        """What moves the targets, snapshots last: they are of averages that have moved."""
        parts, method, found = self.parts, self.graph.method, list[Follower | Taker]()
        for name, average in method.averages.items():
            if name in parts:
                found.append(Follower(target=parts[name], net=parts[average.follows], momentum=average.momentum))
        for name, snapshot in method.snapshots.items():
            if name in parts:
                found.append(Taker(target=parts[name], source=parts[snapshot.follows], spec=snapshot))
        return found


def _begin_anew(method: CompiledMethod, _keys: Any) -> None:
    """A state was loaded, and the step that it was saved behind begins."""
    method.order.forget()
    freezing.release(method)


def _is_due(leg: SizedLeg, step: int, clock: Clock) -> bool:
    phase = leg.leg.phase
    assert phase is not None
    if phase.at is not None:
        return any(round(duration(time).steps(clock)) == step for time in phase.at)
    start = round(duration(phase.start).steps(clock)) if phase.start else 0
    every = max(1, round(duration(phase.every or "1 epoch").steps(clock)))
    return step >= start and (step - start) % every == 0
