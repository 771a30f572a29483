"""What the networks with dense layers (AlexNet, VGG) share: outputs, dropout by samples' own draws, first weights."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.draws import Draw, substream, uniform


class Features(NamedTuple):
    """The second dense layer after and before its ReLU, and the last map of the convolutions."""

    dense: Float[Tensor, "batch dim"]
    before_relu: Float[Tensor, "batch dim"]
    map: Float[Tensor, "batch dim_map rows columns"]


def dropped(
    numbers: Float[Tensor, "batch dim"], chance: float, draw: Draw | None, *, layer: int | None = None
) -> Float[Tensor, "batch dim"]:
    """Each number is zero with this chance, and larger by 1 / (1 - chance) otherwise; `layer` names its own draws."""
    if chance == 0:
        return numbers
    if draw is None:
        raise ValueError("dropout is drawn for each sample: give the port draw, or set dropout: 0")
    keep = uniform(draw if layer is None else substream(draw, layer), numbers.shape[1]) >= chance
    return numbers * keep.to(numbers.dtype) / (1 - chance)


def initialise(net: nn.Module) -> None:
    """Convolutions by He's rule for what leaves them, dense layers with a deviation of 0.01, biases zero."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
