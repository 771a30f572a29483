"""Masked regression (MAE, SimMIM, context encoder): rebuild the pixels that were hidden."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import Positive

# Inside the root, so that a patch of one colour becomes 0 and not 0 / 0.
EPSILON = 1e-6


@component(
    source="arXiv:2111.06377, section 3; arXiv:2111.09886, equation 2; arXiv:1604.07379, equation 1; "
    "arXiv:2202.03555, equation 2",
    kind="regression",
    weighed_by="where",
)
class MaskedRegression(nn.Module):
    """Weighted mean distance of prediction and target, over all their numbers e.

        loss = sum_e w[e] d(prediction[e] - target[e]) / denominator,      d = e^2 for l2, |e| for l1

    w is `where` spread over the features of a place: [batch, patches] over [batch, patches, dim], [batch, rows,
    columns] over [batch, channels, rows, columns], or anything of the prediction's rank that broadcasts; 1 without it.

    Settings:
        distance: l2 squared error, l1 absolute error, smooth_l1 as in losses.regression.
        knee: the error at which smooth_l1 turns from a square to a line.
        normalize_target: per_patch brings each patch of the target to mean 0 and variance 1 (n - 1 in its denominator).
        over: the denominator: `where`, the sum of w, averaged over ranks (MAE: the mean over hidden patches);
            `all`, the number of elements (context encoder: a weight of 10 then is a gradient ten times as large).
    """

    def __init__(
        self,
        *,
        distance: Literal["l2", "l1", "smooth_l1"] = "l2",
        knee: Positive = 1.0,
        normalize_target: Literal["none", "per_patch"] = "none",
        over: Literal["where", "all"] = "where",
    ) -> None:
        super().__init__()
        self.distance = distance
        self.knee = knee
        self.normalize_target = normalize_target
        self.over = over

    def forward(
        self,
        prediction: Float[Tensor, "batch *shape"],
        target: Float[Tensor, "batch *shape"],
        where: Shaped[Tensor, "*places"] | None = None,
    ) -> Float[Tensor, ""]:
        cost = self._cost(prediction, self._target(target))
        if where is None:
            return cost.mean()
        weights = _spread(where, cost)
        if self.over == "all":
            return (weights * cost).mean()
        return collectives.weighted_mean(cost, weights)

    def landmarks(
        self,
        prediction: Float[Tensor, "batch *shape"],
        target: Float[Tensor, "batch *shape"],
        where: Shaped[Tensor, "*places"] | None = None,
    ) -> dict[str, float]:
        """Predicting each patch's mean, where the scale of targets is known: (n - 1) / n for patches of n numbers."""
        if self.normalize_target == "none" or self.distance != "l2":
            return {}
        numbers = prediction.shape[-1]
        return {"chance": (numbers - 1) / numbers}

    def pictures(
        self,
        prediction: Float[Tensor, "batch *shape"],
        target: Float[Tensor, "batch *shape"],
        where: Shaped[Tensor, "*places"] | None = None,
    ) -> dict[str, Tensor]:
        """The target, what is seen of it, if anything, and the prediction in its units where it is hidden."""
        made = prediction
        if self.normalize_target == "per_patch":
            made = prediction * (target.var(-1, keepdim=True) + EPSILON).sqrt() + target.mean(-1, keepdim=True)
        hidden = torch.ones_like(target) if where is None else _spread(where, target)
        seen = {} if bool((hidden > 0).all()) else {"seen": target.masked_fill(hidden > 0, torch.nan)}
        return {"image": target, **seen, "painted": torch.where(hidden > 0, made, target)}

    def _cost(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = prediction - target
        if self.distance == "smooth_l1":
            return functional.smooth_l1_loss(prediction, target, reduction="none", beta=self.knee)
        return error.square() if self.distance == "l2" else error.abs()

    def _target(self, target: Tensor) -> Tensor:
        if self.normalize_target == "none":
            return target
        if target.dim() != 3:
            raise ValueError(
                "normalize_target: per_patch needs patches [batch, patches, numbers], and the target has "
                f"{target.dim()} axes; cut it with wiring.patchify"
            )
        variance, mean = target.var(-1, keepdim=True), target.mean(-1, keepdim=True)
        return (target - mean) * (variance + EPSILON).rsqrt()


def _spread(where: Tensor, cost: Tensor) -> Tensor:
    given = tuple(where.shape)
    if where.dtype == torch.int64:
        raise ValueError(
            f"where of shape {given} has whole numbers, such as the places of patches; it takes what counts of all "
            "places: truth values, as `hidden` of a mask, or weights"
        )
    if where.dim() == cost.dim() - 1:
        where = where.unsqueeze(1 if cost.dim() == 4 else -1)
    if where.dim() != cost.dim() or any(a not in (1, b) for a, b in zip(where.shape, cost.shape, strict=True)):
        raise ValueError(f"where of shape {given} does not fit a prediction of shape {tuple(cost.shape)}")
    return where.to(cost.dtype).expand_as(cost)
