"""A method and a recipe in which nothing is wrong, and for each thing that can be: the change, and what is said of it.

An entry is what stands in the text, what a user wrote instead, and the beginnings of the lines that tell it.
"""

METHOD = """\
method: Mine
views:
  xq: {augment: simclr, size: 16}
  xk: {augment: simclr, size: 16}
nets:
  f: {use: backbones.resnet, depth: 10, width: 8, stem: cifar}
  g: {use: heads.mlp, hidden: [16], out: 8}
targets:
  fk: {ema_of: f, momentum: 0.99}
  gk: {ema_of: g, momentum: 0.99}
state:
  queue: {use: memory.fifo, size: 16}
flow:
  q: l2(g(f(xq)))
  k: l2(gk(fk(xk)))
losses:
  info: {use: losses.info_nce, of: [q, k], negatives: queue.read}
after_step:
  - queue.push(k)
export: f
"""

RECIPE = """\
recipe: mine
method: method.yaml
data: {use: sources.shapes, size: 32, limit: 16}
epochs: 2
batch: 8
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 1e-4}
checkpoint: {every: 1 epoch}
"""

SHAPES = "{use: sources.shapes, size: 32, limit: 16}"

WRONG_METHODS = {
    "bad YAML": (
        "views:",
        "views: [}",
        "method.yaml:2:9: this is not YAML: ",
        "  look at the brackets, quotes and indentation here",
    ),
    "wrong indentation": (
        "  xq:",
        "   xq:",
        "method.yaml:4:3: this is not YAML: ",
        "  look at the brackets, quotes and indentation here",
    ),
    "tab": ("  f: {", "\tf: {", "method.yaml:6:1: there is a tab here\n  indent and align with spaces"),
    "duplicate key": (
        "  g: {",
        "  f: {",
        "method.yaml:7:3: the key 'f' is given twice; the first is at method.yaml:6:3",
    ),
    "section": (
        "nets:",
        "netts:",
        "method.yaml:5:1: the text has the unknown key 'netts'\n  there are: after_step, ",
        "  did you mean 'nets'?",
    ),
    "component": (
        "losses.info_nce",
        "losses.info_nse",
        "method.yaml:17:15: there is no part 'losses.info_nse'\n  there are: losses.barlow_twins, ",
        "  did you mean 'losses.info_nce'?",
    ),
    "setting": (
        "hidden: [16]",
        "hidden: [16], outt: 3",
        "method.yaml:7:43: heads.mlp has no setting 'outt'; did you mean 'out'?",
    ),
    "value of a setting": (
        "out: 8",
        "out: eight",
        "method.yaml:7:42: 'out' of heads.mlp must be a whole number of at least 1, not the text 'eight'",
    ),
    "port of a value": (
        "g(f(xq))",
        "g(f(xq).mop)",
        "method.yaml:14:11: 'f(xq)' has no output 'mop'\n  there are: layer1, layer2, layer3, map, pooled",
    ),
    "port of a view": (
        "g(f(xq))",
        "g(f(xq.imag))",
        "method.yaml:14:13: view 'xq' has no port 'imag'",
        "  did you mean 'image'?",
    ),
    "port of a loss": (
        "negatives: queue.read",
        "negativs: queue.read",
        "method.yaml:17:54: losses.info_nce has no setting 'negativs'; did you mean 'negatives'?",
    ),
    "name in an expression": (
        "g(f(xq))",
        "g(f(xx))",
        "method.yaml:14:13: flow 'q' reads the unknown name 'xx'\n  there are: k, q, xk, xq",
    ),
    "call in an expression": (
        "g(f(xq))",
        "gg(f(xq))",
        "method.yaml:14:9: the flow calls the unknown part 'gg'\n  there are: add, ",
        "  did you mean 'g'?",
    ),
    "number in an expression": (
        "g(f(xq))",
        "g(f(xq), 3)",
        "method.yaml:14:18: a number or a text (3) can't be part of an expression\n  write it as a setting of the part",
    ),
    "arithmetic": (
        "l2(g(f(xq)))",
        "l2(g(f(xq))) + q",
        "method.yaml:14:6: 'l2(g(f(xq))) + q' is not a name, a port or a call\n  arithmetic is done by parts",
    ),
    "cycle": (
        "l2(g(f(xq)))",
        "l2(g(f(q)))",
        "method.yaml:14:6: the flow is a circle: q <- q\n  feedback needs a state",
    ),
    "two inputs where one is taken": (
        "g(f(xq))",
        "g(f(xq), f(xk))",
        "method.yaml:14:9: 'g' (heads.mlp) is given 2 inputs\n  it takes features: Float[*rows dim]",
    ),
    "two nets where one is used": (
        "k: l2(gk(fk(xk)))",
        "k: l2(g(f(xk)))",
        "method.yaml:9:7: nothing uses 'fk' (targets)\n  call it in flow:, or remove it",
        "method.yaml:10:7: nothing uses 'gk' (targets)",
    ),
    "a net where a value is wanted": (
        "of: [q, k]",
        "of: [f, k]",
        "method.yaml:17:37: 'f' is a part (nets), not a value\n  write f(...)",
    ),
    "write": (
        "queue.push(k)",
        "queue.psh(k)",
        "method.yaml:19:5: 'queue' (memory.fifo) has no write 'psh'\n  there are: push",
    ),
    "export": (
        "export: f",
        "export: z",
        "method.yaml:20:9: export names the unknown net 'z'\n  there are: f, fk, g, gk",
    ),
    "augmentation": (
        "xk: {augment: simclr",
        "xk: {augment: simclrr",
        "method.yaml:4:17: there is no augmentation 'simclrr'",
        "  did you mean 'simclr'?",
    ),
    "step of an augmentation": (
        "size: 16}",
        "size: 16, crp.scale: [0, 1]}",
        "method.yaml:3:46: view 'xq' sets 'crp.scale', but augmentation 'simclr' has no step 'crp'",
        "  did you mean 'crop'?",
    ),
    "nothing that says what it is": (
        "method: Mine\n",
        "",
        "method.yaml:1:1: the text does not say what it is\n  there are: recipe, pipeline",
    ),
    "queue that a batch does not divide": (
        "size: 16}\nflow",
        "size: 20}\nflow",
        "method.yaml:19:5: queue.push: memory.fifo holds 20 rows and was pushed 256 at once, "
        "which does not divide it; set size to a multiple of 256",
    ),
    "width that does not arrive": (
        "out: 8}",
        "out: 8, dim: 7}",
        "method.yaml:7:50: 'g' sets dim: 7, but its input has 64\n  leave dim out",
    ),
    "widths that can't match": (
        "ema_of: g,",
        "ema_of: g, out: 9,",
        "method.yaml:17:9: value 'info': 'info' (losses.info_nce): 'dim' is 8 at port 'query' and 9 at port 'key'\n"
        "  set the widths of the parts that make them",
    ),
}

WRONG_RECIPES = {
    "key": (
        "epochs:",
        "epoch:",
        "recipe.yaml:4:1: the text has the unknown key 'epoch'\n  there are: accumulate, ",
        "  did you mean 'epochs'?",
    ),
    "method": (
        "method.yaml",
        "simclrr",
        "recipe.yaml:2:9: there is no method 'simclrr'",
        "  did you mean 'simclr'?",
    ),
    "source": (
        "sources.shapes",
        "sources.shape",
        "recipe.yaml:3:13: there is no part 'sources.shape'\n  there are: sources.arrays, sources.image_folder, ",
        "  did you mean 'sources.shapes'?",
    ),
    "setting of the data": (
        "limit",
        "limits",
        "recipe.yaml:3:47: sources.shapes has no setting 'limits'; did you mean 'limit'?",
    ),
    "optimizer": (
        "sgd",
        "sgdd",
        "recipe.yaml:6:18: there is no optimizer 'sgdd'\n  there are: adam, adamw, ",
    ),
    "setting of the optimizer": (
        "lr:",
        "lrr:",
        "recipe.yaml:6:28: optimizer sgd has no setting 'lrr'\n  there are: clip, ",
        "  did you mean 'lr'?",
    ),
    "number that is not there": (
        ", weight_decay: 1e-4",
        "",
        "recipe.yaml:6:12: sgd: weight_decay must be given (papers differ); for example weight_decay: 1e-4",
    ),
    "evaluation": (
        "epochs: 2",
        "epochs: 2\nevaluate: {knn: {evry: 1}}",
        "recipe.yaml:5:24: evaluate.knn has no setting 'evry'\n  there are: bank, every",
        "  did you mean 'every'?",
    ),
    "checkpoint": (
        "1 epoch}",
        "often}",
        "recipe.yaml:7:21: checkpoint.every can't be read: 'often' is not a length of time",
    ),
}

WRONG_RUNS = {
    "batch larger than the data": (
        "limit: 16",
        "limit: 4",
        "recipe.yaml:5:8: a batch of 8 images is larger than the data set, which has 4; set batch to at most 4",
    ),
    "data folder that is not there": (
        SHAPES,
        "{use: sources.image_folder, path: gone}",
        "recipe.yaml:3:7: gone does not exist; give the folder of the images, one file, or an address such as s3://",
    ),
    "data folder that is empty": (
        SHAPES,
        "{use: sources.image_folder, path: empty}",
        "recipe.yaml:3:7: /",
    ),
    "data folder without images": (SHAPES, "{use: sources.image_folder, path: texts}", "recipe.yaml:3:7: /"),
}

WRONG_WORDS = {
    "--set without a value": (
        ("check", "recipe.yaml", "--set", "batch"),
        "--set batch: write a path, an equals sign and a value, for example --set",
    ),
    "--set of bad YAML": (("check", "recipe.yaml", "--set", "batch={a"), "--set batch:1:3: this is not YAML: "),
    "--set of an unknown setting": (
        ("check", "recipe.yaml", "--set", "nets.f.dept=18"),
        "--set nets.f.dept: backbones.resnet has no setting 'dept'; did you mean 'depth'?",
    ),
    "--set of an unknown section": (
        ("check", "recipe.yaml", "--set", "net.f=1"),
        "--set net.f: no path begins with 'net'\n  there are: ",
    ),
    "--data of nothing": (("train", "recipe.yaml", "--data", "gone"), "/"),
    "--resume of no run": (
        ("train", "recipe.yaml", "--resume", "gone"),
        "--resume gone: there is no run in that folder (no resolved.yaml, no checkpoint); give the folder of a run",
    ),
    "no workers": (("train", "recipe.yaml", "--workers", "0"), "--workers 0 would train nothing; ask for 1 or more"),
    "too many workers": (("train", "recipe.yaml", "--workers", "9999"), "9999 workers need 9999 "),
    "evaluate of no run": (
        ("evaluate", "gone"),
        "gone is no run folder: there is no resolved.yaml in it; give the folder that train printed",
    ),
    "diff of an unknown method": (
        ("diff", "simclr", "byoll"),
        "there is no method 'byoll'\n  there are: barlow_twins, ",
    ),
}
