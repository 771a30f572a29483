"""Nets whose weights two processes share: each holds half, and together they have what one would have."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from two_ranks import Both

from sslgraph import collectives
from sslgraph.compile.follow import Follower
from sslgraph.pipelines.optimize.lars import Lars
from sslgraph.ranks import sharding
from sslgraph.ranks.repeated_blocks import blocks


def net(seed: int = 0) -> nn.Module:
    """Two blocks between two layers, with tensors that two processes can't halve evenly."""
    torch.manual_seed(seed)
    body = nn.Sequential(*(nn.Sequential(nn.Linear(7, 7), nn.Tanh()) for _ in range(2)))
    layers = nn.Sequential(nn.Conv2d(3, 7, 2), nn.Flatten(), body, nn.Linear(7, 1, bias=False)).double()
    return layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def shared(seed: int = 0) -> nn.Module:
    layers = net(seed)
    sharding.share_out(layers, blocks(layers), on=torch.device("cpu"))
    return layers


def loss(layers: nn.Module, rank: int) -> Tensor:
    """Both views go through before either comes back, as in BYOL."""
    one, two = torch.randn(2, 4, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(rank))
    return (layers(one) * 3 - layers(two).tanh()).square().mean()


def held() -> dict[str, Any]:
    layers = shared()
    with torch.no_grad():
        layers(torch.zeros(1, 3, 2, 2, dtype=torch.float64))
    return {name: (sharding.mine(p).numel(), p.numel()) for name, p in layers.named_parameters()}


def trained() -> dict[str, Any]:
    layers = shared()
    loss(layers, collectives.rank()).backward()
    gradients = {name: p.grad for name, p in layers.named_parameters()}
    lengths = sharding.norms(list(gradients.values()))  # type: ignore[arg-type]
    return {"gradients": sharding.whole(gradients, everywhere=True), "lengths": lengths}


def stepped() -> dict[str, Any]:
    return {variant: sharding.whole(_stepped(shared(), variant)) for variant in ("lars_tf", "larc_apex")}


def _stepped(layers: nn.Module, variant: str, ranks: tuple[int, ...] = ()) -> dict[str, Tensor]:
    optimizer = Lars([{"params": list(layers.parameters()), "lr": 0.1, "trust": 0.5, "momentum": 0.9}], variant=variant)
    for _ in range(2):
        if ranks:
            (sum(loss(layers, rank) for rank in ranks) / len(ranks)).backward()  # type: ignore[union-attr]
        else:
            loss(layers, collectives.rank()).backward()
        optimizer.step()
        optimizer.zero_grad()
    return layers.state_dict()


def followed() -> dict[str, Any]:
    target = shared(seed=1)
    Follower(target=target, net=shared(), momentum=0.75).follow(0, None)  # type: ignore[arg-type]
    return sharding.whole(target.state_dict(), everywhere=True)


def saved() -> dict[str, Any]:
    layers = shared()
    state = layers.state_dict()
    before = {name: sharding.mine(value).clone() for name, value in state.items()}
    whole = sharding.whole({"inner": state, "step": 3}, everywhere=True)
    fresh = shared(seed=1)
    fresh.load_state_dict(sharding.cut(whole["inner"], like=fresh.state_dict()))
    again = {name: sharding.mine(value) for name, value in fresh.state_dict().items()}
    return {"whole": whole, "first": sharding.whole(state), "before": before, "again": again}


CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    check.__name__: check for check in (held, trained, stepped, followed, saved)
}


def test_each_process_holds_a_part_also_of_what_has_no_backward_pass(both: Both) -> None:
    first, second = both("held")
    for name, (here, whole) in first.items():
        assert 0 < here < whole or (whole == 7 and name.startswith("3."))
        assert here + second[name][0] == whole


def test_gradients_of_two_calls_are_the_mean_over_ranks_and_lengths_those_of_whole_tensors(both: Both) -> None:
    alone = net()
    (sum(loss(alone, rank) for rank in (0, 1)) / 2).backward()  # type: ignore[union-attr]
    for found in both("trained"):
        for name, p in alone.named_parameters():
            torch.testing.assert_close(found["gradients"][name], p.grad, rtol=1e-12, atol=1e-14)
        expected = torch.stack([p.grad.norm() for p in alone.parameters() if p.grad is not None])
        torch.testing.assert_close(found["lengths"], expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("variant", ["lars_tf", "larc_apex"])
def test_steps_scaled_by_norms_are_those_of_one_process(both: Both, variant: str) -> None:
    expected = _stepped(net(), variant, ranks=(0, 1))
    first, second = (found[variant] for found in both("stepped"))
    for name, value in expected.items():
        torch.testing.assert_close(first[name], value, rtol=1e-11, atol=1e-13)
        # Only the first process is given whole tensors; the others do not hold their memory either.
        assert second[name].numel() == second[name].untyped_storage().nbytes() == 0


def test_a_target_follows_slice_by_slice(both: Both) -> None:
    old, new = net(seed=1).state_dict(), net().state_dict()
    for found in both("followed"):
        for name in old:
            torch.testing.assert_close(found[name], 0.75 * old[name] + 0.25 * new[name])


def test_a_state_comes_whole_and_goes_back_into_slices(both: Both) -> None:
    alone = net().state_dict()
    for rank, found in enumerate(both("saved")):
        assert found["whole"]["step"] == 3
        for name, value in alone.items():
            assert found["whole"]["inner"][name].equal(value)
            assert found["first"][name].numel() == (0 if rank else value.numel())
            assert found["again"][name].equal(found["before"][name])


def test_what_is_not_shared_out_is_left_as_it_is() -> None:
    value = torch.tensor([3.0, 4.0])
    assert sharding.mine(value) is value and not sharding.is_shared(value)
    assert sharding.norms([value, torch.tensor([0.0])]).tolist() == [5.0, 0.0]
    assert sharding.whole({"a": value})["a"] is value and sharding.cut_as(value, torch.zeros(2)) is value
