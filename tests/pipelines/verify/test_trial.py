"""What a trial holds fixed, so that accumulation can be compared: the statistics that BatchNorm starts with."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from sslgraph.pipelines.verify import trial
from sslgraph.pipelines.verify.trial import Trial


def test_a_fixed_norm_keeps_its_statistics_in_train_mode_and_its_net_can_be_pickled() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout())
    run: Any = SimpleNamespace(method=SimpleNamespace(parts={"f": net}))
    trial._fix_norms(run, Trial({}, steps=1, fixed_norm=True))
    rows = torch.randn(4, 3) + 5
    for held in (net, pickle.loads(pickle.dumps(net))):
        held.train()
        norm = held[1]
        assert torch.equal(held[:2](rows), norm.eval()(held[0](rows)))
        assert norm.running_mean.tolist() == [0, 0] and norm.num_batches_tracked == 0 and held[2].training
