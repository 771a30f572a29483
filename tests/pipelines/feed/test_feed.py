"""The order of data is a function of (seed, epoch, position): ranks, micro-batches, resumes and threads don't show."""

import threading
from collections.abc import Iterator
from itertools import chain

import pytest
import torch
from sources import Numbered
from torch import Tensor

from sslgraph.draws import keyed
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.feed.feed import Feed, order, prefetched
from sslgraph.read.spec import Augmentation, Part, View
from sslgraph.views.views import ViewProgram

FLIPPED = Augmentation(augmentation="flipped", steps={"flip": Part(use="augment.horizontal_flip")})
TWO_VIEWS = ViewProgram.build({name: View(augment="flipped") for name in "xy"}, {"flipped": FLIPPED})


def feed(count: int = 50, **settings: object) -> Feed:
    return Feed(Numbered(count), TWO_VIEWS, **{"batch": 8, **settings})  # type: ignore[arg-type]


def seen(feed: Feed, start: int, stop: int) -> list[list[int]]:
    """The images of each step, over its micro-batches."""
    return [[i for piece in pieces for i in piece["x.index"].tolist()] for pieces in feed.batches(start, stop)]


def test_an_epoch_shows_whole_batches_of_different_images() -> None:
    steps = seen(feed(), 0, 6)
    assert [len(step) for step in steps] == [8] * 6 and len({i for step in steps for i in step}) == 48


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [order(50, seed=seed, epoch=epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert all(each.sort().values.tolist() == list(range(50)) for each in orders)
    assert len({tuple(each.tolist()) for each in orders}) == 4


@pytest.mark.parametrize("start", [0, 3, 7, 13])
def test_a_run_that_starts_in_the_middle_sees_what_it_would_have_seen(start: int) -> None:
    assert seen(feed(), start, 15) == seen(feed(), 0, 15)[start:]


@pytest.mark.parametrize(("ranks", "accumulate"), [(1, 4), (2, 1), (2, 2), (4, 2)])
def test_ranks_and_micro_batches_split_the_same_global_batch_in_order(ranks: int, accumulate: int) -> None:
    shares = [seen(feed(ranks=ranks, rank=rank, accumulate=accumulate), 4, 9) for rank in range(ranks)]
    assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == seen(feed(), 4, 9)


def test_views_are_drawn_from_the_sample_and_not_from_its_batch() -> None:
    whole = next(feed().batches(2, 3))[0]
    pieces = next(feed(accumulate=4).batches(2, 3))
    for name in ("x.flip", "y.flip", "x.image", "draw"):
        assert torch.equal(torch.cat([piece[name] for piece in pieces]), whole[name])
    assert not torch.equal(whole["x.flip"], whole["y.flip"])


def test_a_batch_carries_its_draws_and_the_clock() -> None:
    batch = next(feed(seed=5).batches(13, 14))[0]  # six steps an epoch: epoch 2
    assert batch["clock"].tolist() == [5, 2, 13]
    assert torch.equal(batch["draw"], keyed(5, 2, batch["x.index"]))


def test_images_are_those_of_their_indices() -> None:
    batch = next(feed().batches(0, 1))[0]
    torch.testing.assert_close(batch["x.image"][:, 0, 0, 0] * 255, batch["x.index"].float())


def test_a_broken_image_gives_its_place_and_its_draws_to_the_next() -> None:
    source = Numbered(8, unreadable=(3,))
    batch = next(Feed(source, TWO_VIEWS, batch=8).batches(0, 1))[0]
    assert sorted(batch["x.index"].tolist()) == [0, 1, 2, 4, 4, 5, 6, 7]
    assert torch.equal(batch["draw"][:, 2], batch["x.index"]) and source.broken == {3: "image 3: cut short"}


def test_a_sweep_goes_once_over_everything_in_order_with_the_views_it_names() -> None:
    batches = list(feed(count=19).sweep(step=5, views=frozenset("y")))
    assert torch.cat([batch["y.index"] for batch in batches]).tolist() == list(range(19))
    assert not any(name.startswith("x.") for name in batches[0]) and batches[0]["clock"].tolist() == [0, 2, 5]
    (alone,) = feed(count=19).sweep(step=5, views=frozenset())
    assert set(alone) == {"clock"} and alone["clock"].tolist() == [0, 2, 5]  # no view, so no image is read


LABELS = torch.tensor([0] * 40 + [1] * 7 + [4] * 3 + [-1] * 10)


def test_balanced_labels_come_equally_often_and_unlabelled_images_never() -> None:
    drawn = order(60, seed=0, epoch=0, labels=LABELS)
    assert LABELS[drawn].bincount().tolist() == [20, 20, 0, 0, 20]
    assert len(drawn[LABELS[drawn] == 0].unique()) == 20  # enough images: none comes twice
    assert set(drawn[LABELS[drawn] == 4].tolist()) == {47, 48, 49}
    assert not torch.equal(drawn, order(60, seed=0, epoch=1, labels=LABELS))
    odd = order(59, seed=0, epoch=0, labels=LABELS)
    assert sorted(LABELS[odd].bincount()[[0, 1, 4]].tolist()) == [19, 20, 20]


def test_balance_changes_the_batches_that_are_asked_for_after_it() -> None:
    ours = feed(count=60, batch=30)
    before = seen(ours, 0, 2)
    ours.balance(LABELS)
    assert torch.bincount(LABELS[list(chain(*seen(ours, 0, 2)))]).tolist() == [20, 20, 0, 0, 20]
    ours.balance(None)
    assert seen(ours, 0, 2) == before


def test_labels_that_nobody_wrote_are_refused() -> None:
    with pytest.raises(SslgraphError, match="a phase must write labels first"):
        order(5, seed=0, epoch=0, labels=torch.full((5,), -100))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": 51}, "a batch of 51 images is larger than the data set, which has 50; set batch to at most 50"),
        (
            {"batch": 9, "ranks": 2, "accumulate": 2},
            "by 2 ranks with 2 micro-batches each; set batch to a multiple of 4",
        ),
    ],
)
def test_batches_that_do_not_fit_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(SslgraphError, match=message):
        feed(**settings)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_prefetching_keeps_the_order_and_goes_no_further_ahead_than_asked(ahead: int) -> None:
    made: list[int] = []
    things = prefetched((made.append(i) or i for i in range(9)), ahead)  # type: ignore[func-returns-value]
    for expected in range(9):
        assert next(things) == expected and len(made) <= expected + 1 + ahead
    assert next(things, "end") == "end"


def test_what_goes_wrong_in_the_making_is_raised_where_the_batch_is_asked_for() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise SslgraphError("the disk is gone")

    things = prefetched(failing(), 2)
    assert next(things) == 1
    with pytest.raises(SslgraphError, match="the disk is gone"):
        next(things)


def test_no_thread_is_left_when_the_consumer_stops_early() -> None:
    batches = feed().batches(0, 1000)
    next(batches)
    assert any(thread.name.startswith("feed") for thread in threading.enumerate())
    batches.close()  # type: ignore[attr-defined]
    assert not any(thread.name.startswith("feed") for thread in threading.enumerate())


def test_images_of_many_sizes_reach_the_program_as_they_are() -> None:
    sizes: list[Tensor] = []

    def program(images: list[Tensor], index: Tensor, **_: object) -> dict[str, Tensor]:
        sizes.extend(images)
        return {"x.index": index}

    next(Feed(Numbered(6, sized=False), program, batch=6, ahead=0).batches(0, 1))  # type: ignore[arg-type]
    assert {image.shape[1] for image in sizes} == {2, 3, 4}
