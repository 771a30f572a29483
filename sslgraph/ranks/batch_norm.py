"""BatchNorm over the rows of all processes, so that results do not depend on their number.

Or over groups of rows, as if there were more processes than there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.torch_compat import BatchNorm, BatchNormLikeSync

Norm = TypeVar("Norm", bound=BatchNormLikeSync)
_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def synchronise(module: nn.Module) -> nn.Module:
    """The same net with statistics over all ranks' rows; weights, buffers and their names are the very same.

    Changes the net in place and returns it (a net that is itself a BatchNorm gives a new layer).
    """
    return _replaced(module, lambda layer, path: _like(layer, path, JointBatchNorm))


def split(module: nn.Module, groups: int) -> nn.Module:
    """The same net with statistics over each group of rows; in place, as `synchronise` does."""

    def parted(layer: BatchNorm, path: str) -> nn.Module:
        made = _like(layer, path, SplitBatchNorm)
        made.groups = groups
        return made

    return _replaced(module, parted)


def _replaced(module: nn.Module, by: Callable[[BatchNorm, str], nn.Module]) -> nn.Module:
    known: dict[int, nn.Module] = {}  # a layer with two names in a net stays one layer
    for path, layer in list(module.named_modules(remove_duplicate=False)):
        if isinstance(layer, BatchNorm) and not isinstance(layer, nn.SyncBatchNorm | JointBatchNorm | SplitBatchNorm):
            new = known[id(layer)] = known.get(id(layer)) or by(layer, path)
            if path == "":
                return new
            module.set_submodule(path, new)
    return module


class SplitBatchNorm(BatchNormLikeSync):
    """BatchNorm whose training statistics are those of groups of rows: row n belongs to group n modulo `groups`.

    So a process stands for several of them, which MoCo's queries and keys need (arXiv:1911.05722, section 3.3; the
    split BatchNorm of its demo on one GPU). `groups` counts over all ranks. Running statistics follow the mean over the
    groups; in eval mode it is torch's plain BatchNorm.
    """

    groups: int

    def forward(self, input: Tensor) -> Tensor:
        groups = self.groups // collectives.ranks()
        if groups <= 1 or not (self.training or self.running_mean is None):
            return BatchNorm.forward(self, input)
        if len(input) % groups:
            raise SslgraphError(
                f"norm_splits: {groups} groups can't share {len(input)} images evenly; set batch to fit"
            )
        rate, buffers = 0.0, [self.running_mean, self.running_var]
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            rate = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        # The groups are side by side as channels: one kernel does them all.
        mean, variance, weight, bias = (
            None if one is None else one.repeat(groups) for one in (*buffers, self.weight, self.bias)
        )
        rows = input.unflatten(0, (-1, groups)).flatten(1, 2)
        out = functional.batch_norm(rows, mean, variance, weight, bias, True, rate, self.eps)
        for buffer, found in zip(buffers, (mean, variance), strict=True):
            if buffer is not None and found is not None:
                buffer.copy_(found.view(groups, -1).mean(0))
        apart: Tensor = out.unflatten(1, (groups, -1)).flatten(0, 1)
        return apart


class JointBatchNorm(BatchNormLikeSync):
    """BatchNorm whose training statistics are those of the joint batch; with one process it is torch's plain one.

    On CUDA it is torch's SyncBatchNorm, which refuses other devices. There each rank sends the count, mean and variance
    of its rows; with N the sum of the counts n,

        mean = sum_r n[r] mean[r] / N,     variance = sum_r n[r] (variance[r] + (mean[r] - mean)^2) / N

    which, unlike the sum of squares minus the squared sum, stays exact for features far from zero. Gradients go
    through both. The running variance has N - 1 in its denominator, as torch's.
    """

    def forward(self, input: Tensor) -> Tensor:
        if collectives.ranks() == 1 or not (self.training or self.running_mean is None):
            return BatchNorm.forward(self, input)
        # Torch's kernels are for a scale with a shift, or neither; SimCLR's last layer has a scale alone.
        if input.is_cuda and (self.weight is None) == (self.bias is None):
            return self.on_gpus(input)
        mean, variance, count = _joint_statistics(input if input.dtype == torch.float64 else input.float())
        if self.track_running_stats:
            self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shape = (1, -1) + (1,) * (input.dim() - 2)
        out = (input - mean.view(shape)) * scale.view(shape)
        return (out if self.bias is None else out + self.bias.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        rate = 1.0 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, rate)
        self.running_var.lerp_(variance, rate)


def _joint_statistics(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance (over N) of each feature over all ranks, and N."""
    places = [axis for axis in range(rows.dim()) if axis != 1]
    variance, mean = torch.var_mean(rows, places, correction=0)
    count = rows.new_full((1,), rows.numel() / rows.shape[1])
    ours = torch.cat([count, mean, variance])[None]
    counts, means, variances = collectives.gather_with_gradient(ours).split([1, len(mean), len(mean)], 1)
    share = counts / counts.sum()
    joint = (share * means).sum(0)
    return joint, (share * (variances + (means - joint).square())).sum(0), counts.sum()


def _like(layer: BatchNorm, path: str, kind: type[Norm]) -> Norm:
    """A layer of another class with this one's weights and buffers themselves, not copies."""
    if type(layer) not in _PLAIN:
        raise SslgraphError(
            f"layer '{path}' is a {type(layer).__name__}, whose statistics can't be taken over all ranks or groups; "
            "train on one process without norm_splits, or choose a network with plain BatchNorm"
        )
    new = kind(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats, device="meta")
    for name in ("weight", "bias"):
        new.register_parameter(name, getattr(layer, name))
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        new.register_buffer(name, getattr(layer, name))
    return new.train(layer.training)
