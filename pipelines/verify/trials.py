"""What each process of `sslgraph verify` does: the same trials in the same order; the first rank compares."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file

from .difference import unequal
from .judge import GROWN, Judge, further, why
from .rank_local import Local
from .trial import Seen, Trial, copied_checkpoint, see

STEPS = 20  # of a run that is interrupted in its middle
WATCHED = 3  # steps whose gradients and states are compared
SPANS = (
    "a part that compares the images of a micro-batch makes accumulation another method: if one does so by its nature, "
    "as losses with negatives do, keep accumulate: 1 in the recipe"
)
TIMEOUT = timedelta(minutes=10)  # others wait while the first rank tries something alone


@dataclass(frozen=True)
class Wish:
    """What is asked of every method: on how many ranks, at which global batch, and which comparisons besides."""

    ranks: tuple[int, ...] = (1, 2, 4)
    batch: int = 8
    resume: bool = False
    accumulate: bool = False
    is_double: bool = True


@dataclass(frozen=True)
class Plan:
    """One method: its request, a folder for its trials, and what its text says of ranks and micro-batches."""

    name: str
    given: Mapping[str, Any]
    plugins: tuple[str, ...]
    folder: Path
    local: tuple[Local, ...]
    spanning: tuple[str, ...]
    notes: tuple[str, ...] = ()  # in what the method differs here from its text

    @property
    def verdict(self) -> Path:
        """The file that is there once the verdict is."""
        return self.folder / "verdict.json"


@dataclass(frozen=True)
class Verdict:
    """What was found of one method; `lines` say it, `worst` has the largest difference of each comparison."""

    name: str
    is_right: bool
    lines: tuple[str, ...]
    worst: Mapping[str, float]
    seconds: float
    is_tried: bool = True  # whether it could be trained at all

    def __str__(self) -> str:
        found = "NOT VERIFIED" if not self.is_tried else "equal" if self.is_right else "NOT EQUAL"
        head = f"{self.name}: {found} ({self.seconds:.0f} s)"
        return "\n".join([head, *(f"  {line}" for line in self.lines)])


def work(rank: int, plans: Sequence[Plan], wish: Wish) -> None:
    """Goes through all methods; the first rank writes each verdict as soon as it is known."""
    for plan in plans:
        bench = _Bench(rank, plan, wish)
        verdict = bench.verdict()
        if rank == 0:
            whole_file.put_json(plan.verdict, asdict(verdict))


@dataclass
class _Bench:
    """The trials of one method, and what the first rank found."""

    rank: int
    plan: Plan
    wish: Wish
    lines: list[str] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)
    is_right: bool = True

    def verdict(self) -> Verdict:
        start = time.monotonic()
        self._note(True, *self.plan.notes)
        try:
            one = self._see("one", 1)
            self._ranks(one)
            if self.wish.resume:
                self._resume()
            if self.wish.accumulate:
                self._accumulate(one)
        except Exception as wrong:  # a user's own part may raise anything, and the next method has its turn
            return self._given_up(wrong, time.monotonic() - start)
        return Verdict(self.plan.name, self.is_right, tuple(self.lines), self.worst, time.monotonic() - start)

    def _given_up(self, wrong: Exception, seconds: float) -> Verdict:
        """What is said of a method that can't be trained at this size, or at all."""
        first = str(wrong).strip().splitlines()[0]
        if isinstance(wrong, SslgraphError):
            says = f"{first}; verify trains on batches of {self.wish.batch} images: another --batch may do"
        else:
            says = f"{type(wrong).__name__}: {first}"
        return Verdict(self.plan.name, False, (*self.lines, says), self.worst, seconds, is_tried=False)

    def _ranks(self, one: Seen | None) -> None:
        """Gradients before clipping, weights and states, and the optimizer's memory of the first steps."""
        for ranks in (r for r in self.wish.ranks if r > 1):
            seen = self._see(f"{ranks}-ranks", ranks)
            if one is None or seen is None or self.rank:
                continue
            found = self.judge.compared(seen, one)
            for what, apart in found.items():
                self.worst[f"{what}, {ranks} ranks"] = apart.size
            largest = further(*found.values())
            says = ", ".join(f"{what} {apart.size:.0e}" for what, apart in found.items())
            is_right = largest.size <= self.judge.limit
            where = "" if is_right else f"; the farthest is {largest.where}"
            self._note(is_right, f"{ranks} ranks as one, {self.judge.steps}: {says}{where}")
            if found["gradients"].size > self.judge.limit:
                self._note(True, why(seen.gradients[0], one.gradients[0], seen.drawing))
            self._note(not seen.strays, *(f"ranks disagree on {name} by {by:.0e}" for name, by in seen.strays.items()))
        norms = one.norms if one else ()
        for local in self.plan.local:
            if not local.is_norm or local.part in norms:
                joined = str(local.joined).lower()
                self._note(True, f"rank-local: {local.words}; verified with --set {local.path}={joined}")

    def _resume(self) -> None:
        """10 + 10 steps are 20: to the last bit on as many ranks, and within the limit on another number."""
        half, whole = STEPS // 2, dict[int, Seen | None]()
        for ranks in self.wish.ranks:
            whole[ranks] = self._see(f"whole-{ranks}", ranks, steps=STEPS, saved_at=half)
            again = self._see(f"again-{ranks}", ranks, steps=STEPS, goes_on_from=f"whole-{ranks}")
            if again and not self.rank:
                before = whole[ranks]
                assert before is not None
                wrong = unequal(again.last, before.last) + unequal(again.last_optimizer, before.last_optimizer)
                says = f"differ in {', '.join(wrong[:3])}" if wrong else "to the last bit"
                self._note(not wrong, f"{half} + {STEPS - half} steps = {STEPS} on {_ranks(ranks)}: {says}")
        for old, new in zip(self.wish.ranks, (*self.wish.ranks[1:], self.wish.ranks[0]), strict=True):
            if old != new:
                moved = self._see(f"from-{old}-to-{new}", new, steps=STEPS, goes_on_from=f"whole-{old}")
                if moved and not self.rank:
                    before = whole[old]
                    assert before is not None
                    apart = self.judge.ends(moved, before)
                    self.worst[f"resume, {old} to {new} ranks"] = apart.size
                    says = f"{half} steps on {_ranks(old)}, then {STEPS - half} on {_ranks(new)}: {apart}"
                    is_double = self.judge.is_double
                    self._note(
                        not is_double or apart.size <= self.judge.limit, says if is_double else f"{says}, {GROWN}"
                    )

    def _accumulate(self, one: Seen | None) -> None:
        """Two micro-batches are one batch; rows that meet in a BatchNorm can't be, so it keeps its first statistics."""
        if self.plan.spanning:
            says = f"{', '.join(self.plan.spanning)} takes images of a micro-batch together: accumulation changes it"
            return self._note(True, says)
        whole = self._see("fixed", 1, fixed_norm=True)
        for ranks in self.wish.ranks:
            if self.wish.batch % (2 * ranks):
                says = f"{self.wish.batch} images make no 2 micro-batches on {_ranks(ranks)}; see --batch"
                self._note(True, says)
                continue
            seen = self._see(f"pieces-{ranks}", ranks, fixed_norm=True, accumulate=2)
            if seen and whole and not self.rank:
                apart = further(self.judge.gradients(seen, whole), self.judge.states(seen, whole))
                self.worst[f"2 micro-batches, {_ranks(ranks)}"] = apart.size
                self._note(apart.size <= self.judge.limit, f"2 micro-batches as one batch, {_ranks(ranks)}: {apart}")
        if any(line.startswith("WRONG: 2 micro") for line in self.lines):
            self._note(True, SPANS)
        if one and one.norms:
            names = ", ".join(one.norms)
            self._note(
                True, f"BatchNorm of {names} sees a micro-batch; its statistics are held fixed for this comparison"
            )
        return None

    def _see(
        self, label: str, ranks: int, *, steps: int = WATCHED, saved_at: int = 0, goes_on_from: str = "",
        fixed_norm: bool = False, accumulate: int = 1,
    ) -> Seen | None:  # fmt: skip
        """Runs a trial on `ranks` processes; None on the others."""
        if self.rank >= ranks:
            return None
        folder = self.plan.folder / label
        given = {**self.plan.given, "accumulate": accumulate}
        cfg = {"recipe": self.plan.name, "overrides": given, "plugins": self.plan.plugins, "out": str(folder)}
        trial = Trial(cfg, steps, self.wish.is_double, fixed_norm, saved_at, WATCHED)
        self._wait_for_the_first(label)
        with _together(self.rank, ranks, self.plan.folder / f"meet-{label}"), redirect_stdout(io.StringIO()):
            if goes_on_from:
                copied_checkpoint(self.plan.folder / goes_on_from, folder)
            return see(trial)

    def _wait_for_the_first(self, label: str) -> None:
        """The first rank also tries things alone; where it gave up there, nobody must wait for it in a meeting."""
        go = self.plan.folder / f"go-{label}"
        if self.rank == 0:
            go.touch()
        while not go.exists():
            if self.plan.verdict.exists():
                raise InterruptedError("the first rank has given this method up")
            time.sleep(0.02)

    @property
    def judge(self) -> Judge:
        return Judge(self.wish.is_double)

    def _note(self, is_right: bool, *lines: str) -> None:
        self.is_right &= is_right
        self.lines += [line if is_right else f"WRONG: {line}" for line in lines]


def _ranks(count: int) -> str:
    return "1 rank" if count == 1 else f"{count} ranks"


def _together(rank: int, ranks: int, meet: Path) -> AbstractContextManager[None]:
    if ranks == 1:
        return nullcontext()
    return collectives.together("gloo", TIMEOUT, init_method=f"file://{meet}", rank=rank, world_size=ranks)
