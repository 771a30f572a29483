"""A recipe that trains a very small SimCLR for two steps: what a test of commands and folders needs of a run."""

RECIPE = """
recipe: tiny
method: simclr
set:
  nets.f.depth: 10
  nets.f.width: 4
  nets.f.stem: small
  nets.g.hidden: [8]
  nets.g.out: 8
  views.x.size: 8
data: {use: sources.shapes, images: 40, test_images: 20}
batch: 8
steps: 2
optimizer: {use: sgd, lr: 1e-2, momentum: 0.9, weight_decay: 0}
"""
