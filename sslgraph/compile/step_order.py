"""The order of a method's steps: each is begun, computed and ticked once, and none comes again."""

from __future__ import annotations

from sslgraph.errors import SslgraphError
from sslgraph.schedules import Clock


class StepOrder:
    """The step that is open, if one is, and the last one that was closed."""

    def __init__(self) -> None:
        self.open: tuple[int, Clock] | None = None
        self.closed = -1

    def begin(self, step: int, clock: Clock) -> None:
        """Opens a step. One that is given up may begin again; one that is closed may not, and none may be left open."""
        if step <= self.closed:
            raise SslgraphError(
                f"step {step} can't begin: model.tick(writes) closed step {self.closed} already; count steps over all "
                "epochs, and call tick once a step, after the optimizer's. To go back, load the state of an earlier "
                "step; for another run, make another model with method.compile()"
            )
        if self.open is not None and step > self.open[0]:
            raise SslgraphError(
                f"step {step} can't begin before step {self.open[0]} ends: call model.tick(writes) after the "
                f"optimizer's step, or, to skip a batch, begin step {self.open[0]} again with the next one"
            )
        self.open = step, clock

    def begun(self) -> tuple[int, Clock]:
        """The open step, for what ends it."""
        if self.open is None:
            raise SslgraphError(
                "no step is open: call model.begin(step, clock) once before a step and model.tick(writes) once after it"
            )
        return self.open

    def close(self) -> None:
        """Ends the open step."""
        self.open, self.closed = None, self.begun()[0]

    def forget(self) -> None:
        """A state was loaded: whatever step it belongs to begins next."""
        self.open, self.closed = None, -1
