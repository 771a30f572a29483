"""The places of an image in a row, whether they are tokens or the cells of a map; where a map is not meant."""

from torch import Tensor


def in_a_row(features: Tensor, where: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Tokens [batch, places, dim] of tokens or of a map [batch, dim, rows, columns], and what counts of the places."""
    if features.dim() not in (3, 4):
        raise ValueError(
            "features are tokens [batch, tokens, dim] or a map [batch, dim, rows, columns], "
            f"and these have {features.dim()} axes"
        )
    tokens = features if features.dim() == 3 else features.flatten(2).transpose(1, 2)
    if where is None:
        return tokens, None
    counts = where.flatten(1)
    if not where.dtype.is_floating_point and where.element_size() > 1:
        raise ValueError("where has whole numbers, such as the places of patches; it takes truth values or weights")
    if counts.shape != tokens.shape[:2]:
        raise ValueError(f"where of shape {tuple(where.shape)} does not fit {tokens.shape[1]} places")
    return tokens, counts


def rows_or_tokens(*values: Tensor) -> None:
    """Refuses what is neither a row nor tokens of each image, such as a map."""
    for value in values:
        if value.dim() not in (2, 3):
            raise ValueError(
                "it takes rows [batch, dim] and tokens [batch, tokens, dim], "
                f"and one of shape {list(value.shape)} is given; as_tokens(...) makes the cells of a map tokens"
            )
