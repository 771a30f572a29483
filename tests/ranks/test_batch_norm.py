"""BatchNorm over two processes is BatchNorm of one process on the joint batch, and with one process nothing changes."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from two_ranks import Both

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.ranks.batch_norm import JointBatchNorm, split, synchronise


def net() -> nn.Sequential:
    """The same weights in every process, with every kind of BatchNorm that the heads have."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5), nn.BatchNorm1d(5),
        nn.Linear(5, 6, bias=False), nn.BatchNorm1d(6, affine=False, momentum=None),
    )  # fmt: skip
    nn.init.normal_(layers[1].weight)
    nn.init.normal_(layers[1].bias)
    layers[5].register_parameter("bias", None)
    return layers


def images(count: int = 8) -> Tensor:
    return torch.randn(count, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def mine(rows: Tensor, first: int) -> Tensor:
    """This rank's share of the whole, of which rank 0 has the first `first` rows."""
    if collectives.ranks() == 1:
        return rows
    return rows[:first] if collectives.rank() == 0 else rows[first:]


def trained() -> list[Tensor]:
    """Outputs, gradients as the ranks average them, and buffers after two steps of a loss that every row is part of."""
    layers = synchronise(net())
    outs = []
    for step in range(2):
        rows = mine(images() * (step + 1), 4)
        out = layers(rows)
        (out[:, 0].square() * out[:, 1] + out.sin().sum(1)).mean().backward()
        outs.append(out.detach())
    collectives.mean_gradients(list(layers.parameters()))
    gradients = [p.grad for p in layers.parameters() if p.grad is not None]
    return [*outs, *gradients, *layers.buffers(), layers.eval()(images()).detach()]


def uneven() -> list[Tensor]:
    """Three rows on one rank and five on the other, far from zero."""
    layer = synchronise(nn.BatchNorm1d(2))
    rows = torch.randn(8, 2, generator=torch.Generator().manual_seed(2)) + torch.tensor([0.0, 1000.0])
    return [layer(mine(rows, 3)).detach(), *layer.buffers()]


CHECKS: dict[str, Callable[[], list[Tensor]]] = {"trained": trained, "uneven": uneven}


def test_outputs_gradients_and_running_statistics_are_those_of_the_joint_batch(
    both: Both,
) -> None:
    expected, (first, second) = trained(), both("trained")
    assert len(expected) == len(first) == 2 + 8 + 9 + 1
    for number, whole in enumerate(expected):
        if number < 2:
            joined = torch.cat([first[number], second[number]])
            torch.testing.assert_close(joined, whole, rtol=1e-5, atol=1e-5)
        else:
            torch.testing.assert_close(first[number], whole, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(second[number], first[number], rtol=0, atol=0)


def test_ranks_with_different_numbers_of_rows_weigh_by_their_rows(both: Both) -> None:
    (out, *buffers), (first, second) = uneven(), both("uneven")
    # A float32 near 1000 has steps of 6e-5.
    torch.testing.assert_close(torch.cat([first[0], second[0]]), out, rtol=0, atol=5e-4)
    for found, expected in zip(first[1:], buffers, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_with_one_process_it_is_plain_batch_norm_to_the_last_bit() -> None:
    plain = net()
    joint = synchronise(copy.deepcopy(plain))
    assert torch.equal(joint(images()), plain(images()))
    assert torch.equal(joint.eval()(images()), plain.eval()(images()))
    assert joint.state_dict().keys() == plain.state_dict().keys()
    for found, expected in zip(joint.buffers(), plain.buffers(), strict=True):
        assert torch.equal(found, expected)


def test_weights_stay_the_same_objects_and_a_shared_layer_stays_one() -> None:
    layer = nn.BatchNorm1d(3)
    weight = layer.weight
    joint = synchronise(nn.ModuleDict({"one": layer, "other": layer}))
    assert joint["one"].weight is weight
    assert joint["one"] is joint["other"]
    assert isinstance(joint["one"], JointBatchNorm)


def test_a_layer_in_eval_mode_and_one_without_statistics_stay_so() -> None:
    assert not synchronise(nn.BatchNorm1d(3).eval()).training
    assert synchronise(nn.BatchNorm1d(3, track_running_stats=False)).running_mean is None


def test_a_net_without_batch_norm_is_returned_as_it_is() -> None:
    plain = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    layers = list(plain)
    assert synchronise(plain) is plain and list(plain) == layers


def test_a_kind_of_batch_norm_with_work_of_its_own_is_refused_by_name() -> None:
    class WithActivation(nn.BatchNorm2d):
        pass

    with pytest.raises(SslgraphError, match=r"layer '1\.norm' is a WithActivation, whose statistics can't be taken"):
        synchronise(nn.Sequential(nn.ReLU(), nn.ModuleDict({"norm": WithActivation(3)})))


def test_each_group_of_rows_has_statistics_of_its_own_and_running_ones_follow_their_mean() -> None:
    """Row n is of group n modulo the groups, as a rank of its own would see it; MoCo's split BatchNorm."""
    plain, parted = net().double(), split(net().double(), 4)
    rows = images(8).double()
    alone = [copy.deepcopy(plain) for _ in range(4)]
    expected = torch.stack([layers(rows[group::4]) for group, layers in enumerate(alone)], 1).flatten(0, 1)
    torch.testing.assert_close(parted(rows), expected, rtol=0, atol=1e-12)
    for group in (1, 5):  # layers with running statistics that an exponential average makes
        for name in ("running_mean", "running_var"):
            mean = torch.stack([getattr(layers[group], name) for layers in alone]).mean(0)
            torch.testing.assert_close(getattr(parted[group], name), mean, rtol=0, atol=1e-12)
    one, other = net().double().eval(), split(net().double(), 4).eval()
    assert torch.equal(one(rows), other(rows)) and parted[1].weight is not None
    assert set(parted.state_dict()) == set(plain.state_dict())


def test_groups_that_can_not_share_the_rows_are_refused() -> None:
    with pytest.raises(SslgraphError, match="norm_splits: 3 groups can't share 8 images evenly"):
        split(net(), 3)(images(8))
