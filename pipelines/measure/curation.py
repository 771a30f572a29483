"""Chooses the images of a pool to keep: no copies, none near held-out images, only those like a seed set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sslgraph import draws
from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError

from .likeness import directions, groups, highest, mean_of

Rows = Float[Tensor, "images dim"]
COPY, NEAR_TEST, LEFT = "copy", "near test", "left"
NEIGHBOUR, CLUSTER = "neighbour", "cluster"


@dataclass(frozen=True)
class Wish:
    """The numbers of a curation; cosines are those of features less the pool's mean.

    Settings:
        copies: cosine above which two images are copies; a chain of copies is one group, of which the first is kept.
        near_test: cosine with a held-out image above which an image goes.
        neighbours: images of the pool that each seed image takes; None takes none.
        clusters: into how many the pool is parted by k-means; None takes no clusters.
        hits: a cluster is taken if it has more seed images than this.
        per_cluster: most images that are taken of a cluster.
    """

    copies: float = 0.6
    near_test: float = 0.45
    neighbours: int | None = None
    clusters: int | None = None
    hits: int = 3
    per_cluster: int = 10_000


@dataclass(frozen=True)
class Fate:
    """What becomes of an image of the pool, in words, and the image that it is a copy of or near to, such as seed 3."""

    said: str
    of: str = ""

    @property
    def is_gone(self) -> bool:
        """Whether the image was removed before any was chosen."""
        return self.said in (COPY, NEAR_TEST)


def fates(pool: Rows, wish: Wish, *, seed: Rows | None = None, test: Rows | None = None) -> list[Fate]:
    """The fate of each row of the pool; without a seed all that are no copies are `left`.

    SslgraphError if features can't be compared, nothing is left, or there is less than is asked for.
    """
    given = {name: rows for name, rows in (("pool", pool), ("seed", seed), ("test", test)) if rows is not None}
    _refuse(given)
    mean = mean_of(pool)
    turned = {name: directions(rows, mean) for name, rows in given.items()}
    gone = _removed(turned, wish)
    rest = [row for row in range(len(pool)) if row not in gone]
    if not rest:
        said = Counter(fate.said for fate in gone.values())
        of_each = ", ".join(f"{count} {what}" for what, count in said.items())
        raise SslgraphError(
            f"nothing is left of {counted(len(pool), 'image')} ({of_each}); raise copies: or near_test:"
        )
    chosen = _retrieved(turned["pool"][rest], turned["seed"], wish) if seed is not None else {}
    kept = {row: Fate(" and ".join(chosen.get(place, [LEFT]))) for place, row in enumerate(rest)}
    return [gone.get(row) or kept[row] for row in range(len(pool))]


def _refuse(given: dict[str, Rows]) -> None:
    for name, rows in given.items():
        if not len(rows):
            raise SslgraphError(f"the {name} set is empty; give it images")
        if not bool(rows.isfinite().all()):
            raise SslgraphError(f"features of the {name} set are nan or infinite: the encoder diverged")
    widths = {name: rows.shape[1] for name, rows in given.items()}
    if len(set(widths.values())) > 1:
        said = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise SslgraphError(f"features are of unequal widths: {said}; embed all sets by one encoder")


def _removed(turned: dict[str, Rows], wish: Wish) -> dict[int, Fate]:
    """Images that are near held-out ones; then copies, of which the first stays, or one of the seed set."""
    pool, seed = turned["pool"], turned.get("seed", turned["pool"][:0])
    gone: dict[int, Fate] = {}
    if (test := turned.get("test")) is not None:
        cosine, which = highest(pool, test)
        gone = {
            row: Fate(NEAR_TEST, f"test {which[row]}") for row in (cosine > wish.near_test).nonzero()[:, 0].tolist()
        }
    rest = [row for row in range(len(pool)) if row not in gone]
    names = [*(("seed", row) for row in range(len(seed))), *(("pool", row) for row in rest)]
    for first, *others in groups(torch.cat([seed, pool[rest]]), wish.copies):
        kept, row = names[first]
        gone |= {names[place][1]: Fate(COPY, f"{kept} {row}") for place in others if names[place][0] == "pool"}
    return gone


def _retrieved(pool: Rows, seed: Rows, wish: Wish) -> dict[int, list[str]]:
    """Which rows are taken, and by what: the seed's nearest neighbours, and clusters that the seed falls into."""
    from sklearn.cluster import KMeans  # slow to import
    from sklearn.neighbors import NearestNeighbors

    taken: dict[int, list[str]] = {}
    for name in ("neighbours", "clusters"):
        count = getattr(wish, name) or 0
        if count > len(pool):
            left = f"{counted(len(pool), 'image')} that {'is' if len(pool) == 1 else 'are'} left of the pool"
            raise SslgraphError(f"{name}: {count} is more than the {left}; ask for fewer")
    if wish.neighbours:
        search = NearestNeighbors(n_neighbors=wish.neighbours, metric="cosine", algorithm="brute").fit(pool.numpy())
        for row in sorted(set(search.kneighbors(seed.numpy(), return_distance=False).ravel().tolist())):
            taken.setdefault(row, []).append(NEIGHBOUR)
    if wish.clusters:
        parted = KMeans(wish.clusters, n_init="auto", random_state=0).fit(pool.numpy())
        asked = Counter(parted.predict(seed.numpy()).tolist())
        for cluster in sorted(number for number, hits in asked.items() if hits > wish.hits):
            members = torch.from_numpy(parted.labels_ == cluster).nonzero()[:, 0]
            for row in members[draws.fair(len(members), wish.per_cluster)].tolist():
                taken.setdefault(row, []).append(CLUSTER)
    if not taken:
        raise SslgraphError(
            f"no cluster holds more than {wish.hits} of {counted(len(seed), 'seed image')}; lower hits: or clusters:"
        )
    return taken
