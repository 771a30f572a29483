"""k-means: how well clusters of features agree with the classes. Labels are compared and never used."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from sslgraph.errors import SslgraphError

from .features import Features

STARTS, ITERATIONS = 10, 300


@dataclass(frozen=True)
class Clusters:
    """How far clusters and classes agree; 1 is the best of each, and chance is the most frequent class's share.

    nmi: mutual information over the mean of both entropies; it is biased upwards by many small clusters.
    ari: the adjusted Rand index; 0 by chance.
    accuracy: share of images whose class is that of their cluster, by the best one-to-one map of the two (Hungarian).
    """

    nmi: float
    ari: float
    accuracy: float
    chance: float
    clusters: int


@torch.no_grad()
def kmeans(features: Features, *, seed: int = 0) -> Clusters:
    """Clusters of the labelled rows, as many as they have classes: the lowest inertia of ten k-means++ starts.

    Rows have unit length. Fewer distinct rows than classes give so many clusters.
    """
    values, labels = features.labelled()
    classes, truth, counts = labels.unique(return_inverse=True, return_counts=True)
    rows = F.normalize(values.double(), dim=1)
    count = min(len(classes), len(rows.unique(dim=0)))
    found = KMeans(count, n_init=STARTS, max_iter=ITERATIONS, random_state=seed).fit_predict(rows.numpy())
    return compared(torch.from_numpy(found).long(), truth, chance=int(counts.max()) / len(truth))


def compared(clusters: torch.Tensor, truth: torch.Tensor, *, chance: float = 0.0) -> Clusters:
    """Two numberings of the same images compared, each from 0 on."""
    if len(clusters) != len(truth) or not len(truth):
        raise SslgraphError(f"clusters of {len(clusters)} images can't be compared with classes of {len(truth)}")
    rows, columns = int(clusters.max()) + 1, int(truth.max()) + 1
    table = torch.bincount(clusters * columns + truth, minlength=rows * columns).view(rows, columns).numpy()
    matched = table[linear_sum_assignment(table, maximize=True)].sum()
    are_both_one = rows == columns == 1  # scikit-learn says 1 of either; the entropies say 0 / 0
    nmi = 1.0 if are_both_one else normalized_mutual_info_score(truth, clusters)
    return Clusters(float(nmi), float(adjusted_rand_score(truth, clusters)), matched / len(truth), chance, rows)
