"""Recipes that train a very small network for a step or two: what a test of commands and folders needs of a run."""

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
SMALL_NET = "{use: backbones.resnet, depth: 10, width: 4, stem: small}"


def recipe_of(net: str = SMALL_NET, *, images: int = 16, test_images: int = 12) -> str:
    """A recipe that trains one net, without a head, for one step."""
    return f"""
recipe: tiny
method:
  method: Tiny
  views: {{x: {{augment: moco_v2, copies: 2, size: 32}}}}
  nets: {{f: {net}}}
  flow: {{z: l2(f(x))}}
  losses: {{contrast: {{use: losses.nt_xent, of: [z]}}}}
  export: f
data: {{use: sources.shapes, images: {images}, test_images: {test_images}}}
batch: 8
steps: 1
optimizer: {{use: sgd, lr: 0.1, momentum: 0, weight_decay: 0}}
"""
