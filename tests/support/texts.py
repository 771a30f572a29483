"""Small texts that the tests of reading and loading share."""

from pathlib import Path

import pytest

from sslgraph import home

MOCO = """\
# MoCo: a query against one key and a queue.
method: MoCo
family: contrastive
views:
  xq: {augment: plain}
  xk: {augment: plain, crop.scale: [0.2, 1]}
nets:
  f: {use: backbones.toy, depth: 50}
  g: {use: heads.mlp, hidden: [2048], out: 128}
targets:
  fk: {ema_of: f, momentum: {cosine: [0.99, 1.0]}}
  gk: {ema_of: g, momentum: 0.999}
state:
  queue: {use: memory.fifo, size: 65536}
flow:
  q: l2(g(f(xq)))
  k: l2(gk(fk(xk)))
losses:
  info: {use: losses.info_nce, of: [q, k], negatives: queue.read, temperature: 0.2}
after_step:
  - queue.push(k)
export: f
"""

PROGRAM = """\
method: Program
views:
  x: {augment: plain}
ops:
  kmeans: {use: clustering.kmeans, k: 100}
nets:
  f: {use: backbones.toy}
  head: {use: heads.linear, out: $ops.kmeans.k}
state:
  labels: {use: memory.label_table}
phases:
  - name: cluster
    every: 1 epoch
    from: 2 epochs
    flow: {e: f(x)}
    collect: e
    then: [labels.write(kmeans(e)), head.reset]
  - name: train
    flow: {y: head(f(x)), target: labels.read(x.index)}
    losses: {ce: {use: losses.cross_entropy, of: [y, target]}}
    sample: {balance: labels}
export: f
"""

RECIPE = """\
# MoCo on thirty-two pixels.
recipe: small MoCo
method: moco
set: {nets.f.depth: 18, state.queue.size: 4096}
replace: {nets.g: {use: heads.linear, out: 64}}
data: {use: sources.shapes, size: 32}
epochs: 4
batch: 64
optimizer: {use: sgd, lr: 0.06, schedule: {cosine: [1, 0]}}
"""


@pytest.fixture(name="shelf")
def shelf_of_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of specs of the test's own: the methods moco and program, and the recipe small/moco."""
    monkeypatch.setattr(home, "SPECS", tmp_path)
    put(tmp_path, "methods/moco", MOCO)
    put(tmp_path, "methods/program", PROGRAM)
    put(tmp_path, "recipes/small/moco", RECIPE)
    return tmp_path


def put(shelf: Path, name: str, text: str) -> Path:
    """Writes a spec into the catalogue of the test."""
    file = shelf / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
