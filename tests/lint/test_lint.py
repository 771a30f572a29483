"""Each rule speaks about a method that breaks it and about no shipped one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from toys import TWO_VIEWS, method

from sslgraph.errors import SpecError
from sslgraph.lint import RULES, Facts, Finding, lint, queries
from sslgraph.parts.signature import Port, Signature
from sslgraph.read import catalogue
from sslgraph.read.load import load_method
from sslgraph.traits import Traits
from sslgraph.wire.gradients import moved_by
from sslgraph.wire.graph import Graph
from sslgraph.wire.wire import wire

Text = dict[str, Any]
F, G = {"use": "backbones.resnet", "depth": 18}, {"use": "heads.mlp", "hidden": [32], "out": 16}
EMA = {"cosine": [0.996, 1.0]}
MOCO: Text = {
    "views": TWO_VIEWS,
    "nets": {"f": {**F, "sync_norm": False}, "g": G},
    "targets": {"fk": {"ema_of": "f", "momentum": 0.999}, "gk": {"ema_of": "g", "momentum": 0.999}},
    "state": {"queue": {"use": "memory.fifo", "size": 4096}},
    "flow": {"q": "l2(g(f(x1)))", "k": "l2(unshuffle(gk(fk(shuffle(x2)))))"},
    "losses": {"info": {"use": "losses.info_nce", "of": ["q", "k"], "negatives": "queue.read"}},
    "after_step": ["queue.push(k)"],
}
BYOL: Text = {
    "views": TWO_VIEWS,
    "nets": {"f": F, "g": G, "q": G},
    "targets": {"ft": {"ema_of": "f", "momentum": EMA}, "gt": {"ema_of": "g", "momentum": EMA}},
    "flow": {"p": "q(g(f(x1)))", "t": "gt(ft(x2))"},
    "losses": {"one": {"use": "losses.cosine_regression", "of": ["p", "t"]}},
}
SIMCLR: Text = {
    "views": {"x": {"augment": "simclr", "copies": 2}},
    "nets": {"f": F, "g": G},
    "flow": {"z": "l2(g(f(x)))"},
    "losses": {"contrast": {"use": "losses.nt_xent", "of": ["z"]}},
}
SIMSIAM: Text = {
    "views": {"x": {"augment": "simclr", "copies": 2}},
    "nets": {"f": F, "g": G, "h": G},
    "flow": {"z": "g(f(x))", "p": "h(z[0])", "t": "stopgrad(z[1])"},
    "losses": {"one": {"use": "losses.negative_cosine", "of": ["p", "t"]}},
}
DINO: Text = {
    "views": TWO_VIEWS,
    "nets": {"s": F, "h": {"use": "heads.dino", "out": 64}},
    "targets": {"t": {"ema_of": "s", "momentum": EMA}, "ht": {"ema_of": "h", "momentum": EMA}},
    "state": {"center": {"use": "memory.center"}},
    "flow": {"ps": "h(s(bag(x1, x2)))", "pt": "ht(t(bag(x1, x2)))"},
    "losses": {"dino": {"use": "losses.dino", "of": ["ps", "pt"], "center": "center.read"}},
    "after_step": ["center.update(pt)"],
}
MASKED: Text = {
    "views": {"x": {"augment": "mae", "size": 32}},
    "nets": {
        "f": {"use": "backbones.vit", "preset": "nano", "patch": 8, "mask_token": True},
        "d": {"use": "heads.mae_decoder", "patch": 8},
    },
    "ops": {"mask": {"use": "masks.uniform", "patch": 8}, "patches": {"use": "wiring.patchify", "size": 8}},
    "flow": {"m": "mask(x)", "h": "f(x, m.seen)", "y": "d(h.tokens, m.restore)", "p": "patches(x)"},
    "losses": {"pixels": {"use": "losses.masked_regression", "of": ["y", "p"], "where": "m.hidden"}},
}
SHARES: Text = {
    **SIMSIAM,
    "flow": {**SIMSIAM["flow"], "s": "softmax(t)"},
    "losses": {"alike": {"use": "losses.soft_cross_entropy", "of": ["p", "s"]}},
}
SWAV: Text = {
    "views": {"x": {"augment": "swav", "copies": 2}},
    "nets": {"f": F, "g": G, "c": {"use": "heads.prototypes", "out": 300}},
    "ops": {"codes": {"use": "assignments.sinkhorn"}},
    "state": {"old": {"use": "memory.view_queue", "size": 512}},
    "flow": {"z": "l2(g(f(x)))", "s": "c(z)", "a": "codes(s, c(old.read))"},
    "losses": {"swap": {"use": "losses.swav", "of": ["s", "a"]}},
    "after_step": ["c.normalize", "old.push(z)"],
}
NEXT: Text = {
    "views": {"x": {"augment": "mae", "size": 32}},
    "ops": {
        "patches": {"use": "wiring.patchify", "size": 8},
        "past": {"use": "wiring.slice", "stop": -1},
        "future": {"use": "wiring.slice", "start": 1},
    },
    "nets": {
        "e": {"use": "heads.linear", "out": 96},
        "f": {"use": "heads.transformer", "positions": "sincos", "attention": "causal"},
        "d": {"use": "heads.linear", "out": 192},
    },
    "flow": {"p": "patches(x)", "y": "past(d(f(e(p)).tokens))", "t": "future(p)"},
    "losses": {"pixels": {"use": "losses.masked_regression", "of": ["y", "t"]}},
    "export": "mean(f(e(patches(x))).tokens)",
}
RELIC: Text = {
    **BYOL,
    "ops": {"scores": {"use": "wiring.similarity", "temperature": 0.2}, "shares": {"use": "wiring.softmax"}},
    "flow": {
        "z": "l2(g(f(x1)))",
        "t": "l2(gt(ft(x2)))",
        "y": "scores(z, everyone(t))",
        "p": "shares(scores(t, everyone(t)))",
    },
    "nets": {"f": F, "g": G},
    "losses": {"alike": {"use": "losses.soft_cross_entropy", "of": ["y", "p"]}},
}
BOTH: Text = {
    **BYOL,
    "views": {"x1": {"augment": "mae", "size": 32}, "x2": {"augment": "mae", "size": 32}},
    "ops": {"inside": {"use": "wiring.region_means", "count": 2}},
    "flow": {
        "r": "inside(f(x1).map, x1.map)",
        "p": "q(g(fold(r.rows)))",
        "t": "gt(fold(inside(ft(x2).map, x2.map).rows))",
        "w": "fold(r.where)",
    },
    "losses": {"one": {"use": "losses.cosine_regression", "of": ["p", "t"], "where": "w"}},
}
HIDDEN: Text = {
    **MASKED,
    "nets": {"f": MASKED["nets"]["f"], "d": {"use": "heads.linear", "out": 16}},
    "ops": {"mask": {"use": "masks.blocks", "patch": 8}},
    "flow": {"m": "mask(x)", "y": "d(f(x, replace=m.hidden).patches)", "t": "stopgrad(d(f(x).patches))"},
    "losses": {"codes": {"use": "losses.masked_regression", "of": ["y", "t"], "where": "m.hidden"}},
}
LOGITS: Text = {  # cosines of images with images, for a classifier of a text's own
    "views": {"x": {"augment": "simclr"}, "x1": {"augment": "simclr"}},
    "nets": {"f": F, "g": G},
    "ops": {"scores": {"use": "wiring.similarity", "temperature": 0.1}},
    "flow": {"z": "l2(g(f(x)))", "t": "l2(g(f(x1)))", "s": "scores(z, everyone(t))", "c": "argmax(s)"},
    "losses": {"one": {"use": "losses.cross_entropy", "of": ["s", "c"]}},
}
NAT: Text = {  # noise, dealt to the images that it fits, is no other view of them
    "views": {"x": {"augment": "simclr"}},
    "nets": {"f": F, "g": G},
    "ops": {"match": {"use": "assignments.permutation"}},
    "state": {"noise": {"use": "memory.row_bank", "momentum": 0, "dim": 16}},
    "flow": {
        "z": "l2(g(f(x)))",
        "c": "everyone(noise.read(x.index))",
        "t": "look_up(c, match(similarity(z, c)))",
    },
    "losses": {"near": {"use": "losses.regression", "of": ["z", "t"]}},
    "after_step": ["noise.update(x.index, t)"],
}
SMOOTH: Text = {  # total variation: each place is like the next
    **SIMCLR,
    "nets": {"f": {"use": "backbones.vit", "preset": "nano", "patch": 8}, "g": G},
    "ops": {"past": {"use": "wiring.slice", "stop": -1}, "future": {"use": "wiring.slice", "start": 1}},
    "flow": {"h": "f(x)", "z": "l2(g(h.cls))", "a": "past(h.tokens)", "b": "future(h.tokens)"},
    "losses": {**SIMCLR["losses"], "smooth": {"use": "losses.regression", "of": ["a", "b"], "weight": 0.1}},
}
SLOW: Text = {
    **HIDDEN,
    "targets": {"slow": {"ema_of": "f", "momentum": EMA}, "d_t": {"ema_of": "d", "momentum": EMA}},
    "flow": {"m": "mask(x)", "y": "d(f(x, replace=m.hidden).patches)", "t": "d_t(slow(x).patches)"},
}
PARTS: Text = {  # a mean shift to each of four neighbours
    **BYOL,
    "ops": {"near": {"use": "wiring.neighbours", "count": 4}, "four": {"use": "wiring.repeat", "count": 4}},
    "state": {"queue": {"use": "memory.fifo", "size": 4096}},
    "flow": {"p": "four(q(g(f(x1))))", "t": "parts_as_views(near(gt(ft(x2)), queue.read))"},
    "after_step": ["queue.push(gt(ft(x2)))"],
}
REST: Text = {"use": "wiring.scale", "factor": -1, "shift": 1}
EVEN: Text = {"use": "losses.mean_entropy", "of": ["z"]}
RUN = Facts(batch=256, images=50_000, epochs=100, ranks=2)
BANK: Text = {
    **SIMCLR,
    "nets": {**SIMCLR["nets"], "bank": {"use": "heads.rows", "count": 64, "dim": 16}},
    "flow": {**SIMCLR["flow"], "n": "l2(bank())"},
    "losses": {**SIMCLR["losses"], "spread": {"use": "losses.koleo", "of": ["n"], "weight": 0.1}},
}
FOLDED: Text = {
    "views": {"x1": {"augment": "mae", "size": 32, "copies": 4}, "x2": {"augment": "mae", "size": 32}},
    "nets": {"f": {"use": "backbones.vit", "preset": "nano", "patch": 16}, "d": {"use": "heads.linear", "out": 96}},
    "targets": {"ft": {"ema_of": "f", "momentum": EMA}},
    "flow": {"h": "f(x2)", "p": "d(fold(h.patches))", "t": "ft(x1).cls"},
    "losses": {"one": {"use": "losses.cosine_regression", "of": ["p", "t"]}},
}


def change(text: Text, **more: Any) -> Text:
    return {**text, **more}


def graph(text: Text) -> Graph:
    return wire(method(**text))


def own(out: str, **ports: str) -> Signature:
    """A part of a user's own, whose forward has these axes."""
    inputs = {port: Port(port, f'Float[Tensor, "{axes}"]') for port, axes in ports.items()}
    outputs = (Port("", f'Float[Tensor, "{out}"]'),)
    return Signature("own:Part", "Part", "own", "own.py", "", Traits(source="own"), inputs=inputs, outputs=outputs)


def numbers(text: Text, facts: Facts = RUN) -> list[str]:
    return [finding.number for finding in lint(graph(text), facts)]


@pytest.mark.parametrize("text", [MOCO, BYOL, SIMCLR, DINO, SWAV], ids=["moco", "byol", "simclr", "dino", "swav"])
def test_a_method_as_published_raises_no_doubt(text: Text) -> None:
    assert numbers(text) == []


@pytest.mark.parametrize(
    ("number", "text", "facts", "message"),
    [
        ("SG001", MOCO, Facts(images=2_000), "'queue' keeps 4,096 keys of 2,000 images"),
        (
            "SG002",
            MOCO,
            Facts(batch=256, images=5_120, epochs=10),
            "is still half of its random start after 693 steps, and the run has 200",
        ),
        (
            "SG003",
            change(BYOL, targets={"ft": {"ema_of": "f", "momentum": EMA}, "gt": {"ema_of": "g", "momentum": 0.9}}),
            RUN,
            "'gt' forgets half of itself in 6.6 steps, so it is hardly another net than 'g'",
        ),
        *(
            (
                "SG009",
                change(BYOL, targets={**BYOL["targets"], "gt": {"snapshot_of": "g", **times}}),
                Facts(batch=256, images=5_120, epochs=10),
                f"'gt' is taken at {said} for the first time, after {steps} steps, and the run has 200: it stays 'g' "
                "as it began",
            )
            for times, said, steps in (
                ({"every": "300 steps"}, "300 steps", 300),
                ({"every": "1 epoch", "from": "20 epochs"}, "20 epochs", 400),
            )
        ),
        (
            "SG004",
            change(MOCO, flow={"q": "l2(g(f(x1)))", "k": "l2(gk(fk(x2)))"}),
            RUN,
            "queries and keys of 'info' share the BatchNorm statistics",
        ),
        (
            "SG005",
            change(MOCO, flow={"q": "l2(g(f(x1)))", "k": "l2(gk(fk(shuffle(x2))))"}),
            RUN,
            "'k' comes to 'info' in the order of the shuffle",
        ),
        (
            "SG006",
            change(BYOL, targets={**BYOL["targets"], "gt": {"ema_of": "g", "momentum": {"cosine": [0.99, 0.999]}}}),
            RUN,
            "the momentum of 'gt' ends at 0.999",
        ),
        (
            "SG007",
            change(MOCO, after_step=[]),
            RUN,
            "'queue' is read and never written: it stays what it was at the start",
        ),
        (
            "SG008",
            change(SIMCLR, state={"queue": {"use": "memory.fifo"}}, after_step=["queue.push(z)"]),
            Facts(),
            "'queue' is written and never read",
        ),
        (
            "SG301",
            change(SIMCLR, nets={**SIMCLR["nets"], "f": {**F, "weights": "timm:resnet50"}}),
            Facts(paces={"f": 20.0, "g": 20.0}),
            "'f' begins with given weights, and its learning rate is 20 times the largest that is usual",
        ),
        (
            "SG101",
            change(BYOL, targets={}, flow={"p": "q(g(f(x1)))", "t": "g(f(x2))"}),
            RUN,
            "both sides of 'one' are trained and nothing pushes images apart",
        ),
        (
            "SG102",
            change(BYOL, nets={"f": F, "g": G}, flow={"p": "g(f(x1))", "t": "gt(ft(x2))"}),
            RUN,
            "both sides of 'one' pass the same nets",
        ),
        (
            "SG103",
            change(DINO, state={}, losses={"dino": {"use": "losses.dino", "of": ["ps", "pt"]}}, after_step=[]),
            RUN,
            "nothing centres the teacher of 'dino'",
        ),
        (
            "SG104",
            change(DINO, losses={"dino": {**DINO["losses"]["dino"], "teacher_temperature": {"linear": [0.04, 0.1]}}}),
            RUN,
            "the teacher of 'dino' (0.1) is no sharper than its student (0.1)",
        ),
        (
            "SG105",
            change(SIMCLR, flow={"z": "g(f(x))"}),
            RUN,
            "'contrast' compares dot products, and 'z' at its port 'embeddings' has no unit length",
        ),
        (
            "SG105",
            change(MOCO, flow={"q": "l2(g(f(x1)))", "k": "unshuffle(gk(fk(shuffle(x2))))"}),
            RUN,
            "at its port 'key' has no unit length",
        ),
        (
            "SG106",
            change(SIMCLR, losses={"contrast": {"use": "losses.nt_xent", "of": ["z"], "temperature": 10}}),
            RUN,
            "temperature of 'contrast' is 10, far from",
        ),
        (
            "SG106",
            change(SWAV, ops={"codes": {"use": "assignments.sinkhorn", "epsilon": 5}}),
            RUN,
            "epsilon of 'codes' is 5, far from",
        ),
        (
            "SG107",
            change(SWAV, state={}, flow={"z": "l2(g(f(x)))", "s": "c(z)", "a": "codes(s)"}, after_step=["c.normalize"]),
            RUN,
            "'codes' spreads 256 rows over 300 prototypes, so most stay empty",
        ),
        (
            "SG109",
            change(SIMSIAM, flow={"z": "g(f(x))", "p": "h(z)", "t": "stopgrad(z)"}),
            RUN,
            "both inputs of 'one' come from the same view: it pairs each of x[0], x[1] with itself",
        ),
        (
            "SG109",
            change(SIMSIAM, flow={"z": "g(f(x))", "p": "h(z[1])", "t": "stopgrad(z)[1]"}),
            RUN,
            "both inputs of 'one' come from the same view, x[1]",
        ),
        (
            "SG109",
            change(MOCO, losses={**MOCO["losses"], "two": {"use": "losses.regression", "of": ["q", "q"]}}),
            RUN,
            "'prediction' and 'target' of 'two' are one value",
        ),
        (
            "SG110",
            change(MOCO, losses={"info": {**MOCO["losses"]["info"], "of": ["k", "q"]}}),
            RUN,
            "the query of 'info' is 'k', which nothing trains, and its key 'q', which is trained",
        ),
        (
            "SG110",
            change(BYOL, losses={"one": {**BYOL["losses"]["one"], "of": ["t", "p"]}}),
            RUN,
            "the prediction of 'one' is 't', which nothing trains",
        ),
        (
            "SG111",
            change(MOCO, losses={"info": {**MOCO["losses"]["info"], "weight": -1}}),
            RUN,
            "the weight of 'info' is negative: it drives its query and its key apart, without end",
        ),
        (
            "SG111",
            change(SIMSIAM, losses={"one": {"use": "losses.dot_product", "of": ["p", "t"], "weight": -2}}),
            RUN,
            "the weight of 'one' is negative: it draws together what the loss holds apart, and no other loss holds",
        ),
        (
            "SG105",
            change(LOGITS, flow={"z": "g(f(x))", "t": "g(f(x1))", "s": "scores(z, everyone(t))", "c": "argmax(s)"}),
            RUN,
            "'scores' compares dot products, and 't' at its port 'others' has no unit length",
        ),
        (
            "SG106",
            change(LOGITS, ops={"scores": {"use": "wiring.similarity", "temperature": 10}}),
            RUN,
            "temperature of 'scores' is 10, far from what publications use",
        ),
        (
            "SG112",
            change(MASKED, flow={**MASKED["flow"], "h": "f(x)"}),
            RUN,
            "nothing is hidden: no net leaves out or replaces what 'mask' (masks.uniform) hides",
        ),
        (
            "SG112",
            change(
                MASKED,
                ops={**MASKED["ops"], "mask": {"use": "masks.ranked"}},
                flow={**MASKED["flow"], "m": "mask(mean(f(x).attention))", "h": "f(x)"},
            ),
            RUN,
            "nothing is hidden: no net leaves out or replaces what 'mask' (masks.ranked) hides",
        ),
        (
            "SG113",
            change(SHARES, flow={**SHARES["flow"], "t": "z[1]"}),
            RUN,
            "'alike' takes its target as given, and 's' there trains f, g",
        ),
        (
            "SG113",
            change(SHARES, losses={"alike": {**SHARES["losses"]["alike"], "of": ["s", "p"]}}),
            RUN,
            "'p' there trains f, g, h, while nothing else at it is trained: they stand the wrong way round",
        ),
        (
            "SG114",
            change(MASKED, flow={**MASKED["flow"], "h": "f(x, m.restore)"}),
            RUN,
            "'f' takes 'seen', and is given 'restore' of 'mask' (masks.uniform), which has an output 'seen' too",
        ),
        (
            "SG302",
            change(BYOL, nets={**BYOL["nets"], "f": {**F, "frozen": True}}),
            RUN,
            "'f' is frozen, and nothing says what weights it has: they are random, and stay so",
        ),
        (
            "SG201",
            change(SIMCLR, flow={"l2": "g(f(x))", "z": "l2(l2)"}),
            RUN,
            "'l2' is also the name of wiring.l2",
        ),
        (
            "SG201",
            change(SIMCLR, nets={"f": F, "mean": G}, flow={"z": "l2(mean(f(x)))"}),
            RUN,
            "'mean' is also the name of wiring.mean",
        ),
        (
            "SG202",
            SIMCLR,
            Facts(dead=(("g", "features"),)),
            "no gradient comes back through 'features' of 'g' (heads.mlp), and its line is drawn as if one did",
        ),
        (
            "SG203",
            SIMCLR,
            Facts(mixed=(("g", "features", (256, 512)),)),
            "in 'g' (heads.mlp) each image's result depends on the others of its batch: the 256 images at 'features'",
        ),
        (
            "SG204",
            SIMCLR,
            Facts(flattened=(("contrast", (("z", 2, (512, 128)), ("y", 1, (256, 128)))),)),
            "'contrast' (losses.nt_xent) gets the views of a bag as rows, one view after the other: 'z' is [512, 128], "
            "2 views; 'y' is [256, 128], 1 view",
        ),
        ("SG108", SIMCLR, Facts(batch=256, accumulate=4), "'contrast' compares the 64 images of a micro-batch"),
        (
            "SG115",
            change(
                MASKED,
                views={**MASKED["views"], "v": {"augment": "mae", "size": 32}},
                flow={**MASKED["flow"], "h": "f(v, m.seen)"},
            ),
            RUN,
            "'f' (backbones.vit) is given, at 'seen', places of x for what is seen in v: another crop shows other",
        ),
        (
            "SG115",
            change(
                MASKED,
                views={**MASKED["views"], "v": {"augment": "mae", "size": 32}},
                flow={**MASKED["flow"], "p": "patches(v)"},
            ),
            RUN,
            "'pixels' (losses.masked_regression) is given, at 'where', places of x for what is seen in v",
        ),
        (
            "SG115",
            change(BOTH, flow={**BOTH["flow"], "r": "inside(f(x1).map, x2.map)"}),
            RUN,
            "'inside' (wiring.region_means) is given, at 'labels', places of x2 for what is seen in x1",
        ),
        (
            "SG116",
            change(RELIC, flow={**RELIC["flow"], "z": "g(f(x1))"}),
            RUN,
            "'scores' (wiring.similarity) compares 'everyone(t)', whose rows have unit length, with 'z', whose ",
        ),
        (
            "SG116",
            change(
                BYOL,
                nets={"f": F, "g": G, "q": G},
                flow={"p": "q(g(f(x1)))", "t": "l2(gt(ft(x2)))"},
                losses={"one": {"use": "losses.regression", "of": ["p", "t"]}},
            ),
            RUN,
            "'one' (losses.regression) compares 't', whose rows have unit length, with 'p', whose rows have any",
        ),
        (
            "SG117",
            change(NEXT, nets={**NEXT["nets"], "f": {"use": "heads.transformer", "positions": "sincos"}}),
            RUN,
            "'pixels' wants of each place what stands at a later one, and 'f' (heads.transformer) sees all places",
        ),
        (
            "SG117",
            change(
                NEXT,
                nets={"f": {"use": "backbones.vit", "preset": "nano", "patch": 8}, "d": NEXT["nets"]["d"]},
                flow={**NEXT["flow"], "y": "d(past(f(x).patches))"},
                export="f",
            ),
            RUN,
            "'f' (backbones.vit) sees all places before 'y' tells it",
        ),
        (
            "SG205",
            change(RELIC, flow={**RELIC["flow"], "y": "scores(z, t)"}),
            RUN,
            "'scores' (wiring.similarity) takes at 'others' the rows of all images, and 't' has those of one process ",
        ),
        (
            "SG206",
            change(
                MASKED,
                nets={
                    "f": {"use": "backbones.vit", "preset": "nano", "patch": 8, "layers": 2},
                    "g": {"use": "heads.linear", "out": 8},
                },
                ops={},
                flow={"h": "f(x)", "y": "g(mean(h.layers))", "t": "stopgrad(g(h.cls))"},
                losses={
                    "spread": {"use": "losses.variance", "of": ["y"]},
                    "more": {"use": "losses.variance", "of": ["t"]},
                },
            ),
            RUN,
            "'mean' (wiring.mean) pools the last two axes of a map, and 'h.layers' is no map: [batch, kept_layers, ",
        ),
        (
            "SG207",
            change(
                SIMCLR,
                views=TWO_VIEWS,
                flow={"z": "l2(g(f(bag(x1, x2))))", "y": "l2(mean_of_views(g(f(x1))))"},
                losses={**SIMCLR["losses"], "even": {"use": "losses.uniformity", "of": ["y"]}},
            ),
            RUN,
            "'mean_of_views' (wiring.mean_of_views) works over the views of a bag, and 'g(f(x1))' is of one view, x1",
        ),
        (
            "SG010",
            change(MOCO, after_step=["queue.push(q)"]),
            RUN,
            "'queue' is compared with 'k', which the slow copy 'gk' makes, and is given 'q', which the trained 'g'",
        ),
        (
            "SG010",
            change(DINO, after_step=["center.update(ps)"]),
            RUN,
            "'center' is compared with 'pt', which the slow copy 'ht' makes, and is given 'ps', which the trained 'h'",
        ),
        (
            "SG111",
            change(SIMCLR, losses={**SIMCLR["losses"], "even": {**EVEN, "weight": -1}}),
            RUN,
            "the weight of 'even' is negative: it makes the KL divergence from uniform large",
        ),
        (
            "SG118",
            change(
                MASKED,
                ops={**MASKED["ops"], "rest": REST},
                losses={"pixels": {**MASKED["losses"]["pixels"], "where": "visible"}},
                flow={**MASKED["flow"], "visible": "rest(m.hidden)"},
            ),
            RUN,
            "'pixels' counts at 'where' the places that 'mask' leaves to be seen, and none that it hides",
        ),
        (
            "SG119",
            change(SLOW, flow={**SLOW["flow"], "t": "d_t(slow(x, replace=m.hidden).patches)"}),
            RUN,
            "'slow' has the same patches hidden as 'f', so that 'codes' asks what neither of them sees",
        ),
        (
            "SG120",
            change(
                DINO,
                views={**TWO_VIEWS, "small": {"augment": "simclr", "copies": 2}},
                flow={"ps": "h(s(bag(x1, x2, small)))", "pt": "ht(t(small))"},
            ),
            RUN,
            "they have small[0], small[1] and x1, x2, small[0], small[1], so that small[0] meets itself",
        ),
        (
            "SG120",
            change(
                DINO,
                views={**TWO_VIEWS, "small": {"augment": "simclr", "copies": 2}},
                flow={"ps": "h(s(bag(x1, small)))", "pt": "ht(t(x2))"},
            ),
            RUN,
            "'dino' leaves x1 with x2 out, as if they were one view",
        ),
        (
            "SG120",
            change(
                DINO,
                views={**TWO_VIEWS, "small": {"augment": "simclr", "copies": 6}},
                flow={**DINO["flow"], "ps": "h(s(small))"},
            ),
            RUN,
            "'dino' leaves small[0] with x1 out, as if they were one view",
        ),
        (
            "SG208",
            BANK,
            RUN,
            "'spread' (losses.koleo) gathers the rows of all ranks, and 'n' is the same on all of them",
        ),
        (
            "SG208",
            change(SIMCLR, flow={"z": "l2(as_columns(g(f(x))))"}),
            RUN,
            "'contrast' (losses.nt_xent) gathers the rows of all ranks, and 'z' is the same on all of them",
        ),
        (
            "SG209",
            change(PARTS, flow={**PARTS["flow"], "t": "fold(near(gt(ft(x2)), queue.read))"}),
            RUN,
            "'one' pairs 't', whose rows stand image by image, with 'p', a bag, whose rows stand view by view",
        ),
        (
            "SG209",
            FOLDED,
            RUN,
            "'one' pairs 'p', whose rows stand image by image, with 't', a bag, whose rows stand view by view",
        ),
        (
            "SG209",
            change(FOLDED, flow={**FOLDED["flow"], "p": "fold(d(h.patches))"}),
            RUN,
            "'one' pairs 'p', whose rows stand image by image, with 't', a bag, whose rows stand view by view",
        ),
    ],
)
def test_a_method_that_breaks_a_rule_is_told_so(number: str, text: Text, facts: Facts, message: str) -> None:
    found = {finding.number: finding for finding in reversed(lint(graph(text), facts))}
    assert set(found) == {number} and message in found[number].message and found[number].cure


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (MOCO, Facts(accumulate=4)),  # its negatives are of other steps
        (SWAV, Facts(accumulate=4, batch=256)),
        (
            change(MOCO, flow={"q": "l2(g(f(x1)))", "k": "l2(gk(fk(x2)))"}),
            Facts(ranks=1),
        ),  # one rank has nothing to shuffle
        (
            change(MOCO, nets={"f": F, "g": G}, flow={"q": "l2(g(f(x1)))", "k": "l2(gk(fk(x2)))"}),
            RUN,
        ),  # joint statistics
        (change(BYOL, targets={}, flow={"p": "q(g(f(x1)))", "t": "stopgrad(g(f(x2)))"}), RUN),  # SimSiam
        (
            change(
                BYOL,
                flow={"p": "g(f(x1))", "t": "gt(ft(x2))", "y": "q(p)", "z": "stopgrad(t)"},
                losses={**BYOL["losses"], "more": {"use": "losses.masked_regression", "of": ["y", "z"]}},
            ),
            RUN,
        ),  # another loss guards
        (SIMSIAM, RUN),  # two views of one bag
        (change(SIMSIAM, flow={"b": "bag(f(x)[1], f(x)[0])", "p": "h(g(f(x)))", "t": "stopgrad(g(b))"}), RUN),
        (
            change(
                SIMSIAM,
                ops={"hole": {"use": "masks.uniform"}},
                nets={**SIMSIAM["nets"], "f": {"use": "backbones.vit"}},
                flow={"z": "f(x)", "p": "h(g(f(x, hole(x).seen)))", "t": "stopgrad(g(z))"},
            ),
            RUN,
        ),  # one side sees a part of the view
        (
            change(
                MOCO,
                losses={
                    "info": {**MOCO["losses"]["info"], "trains": ["f"]},
                    "confuse": {**MOCO["losses"]["info"], "trains": ["g"], "weight": -1},
                },
            ),
            RUN,
        ),  # two players
        (MASKED, RUN),
        (NEXT, RUN),
        (SMOOTH, RUN),
        (
            change(
                SIMCLR,
                views={"x1": {"augment": "mae", "size": 32}, "x2": {"augment": "mae", "size": 32}},
                nets=SMOOTH["nets"],
                ops={"mask": MASKED["ops"]["mask"]},
                flow={"m": "mask(x1)", "q": "l2(g(f(x1, m.seen).cls))", "k": "l2(g(f(x2, m.seen).cls))"},
                losses={"contrast": {"use": "losses.info_nce", "of": ["q", "k"]}},
            ),
            RUN,
        ),  # one mask drops patches of both views, and nothing asks which
        (RELIC, RUN),
        (BOTH, RUN),
        (
            change(
                MASKED,
                views={"x": MASKED["views"]["x"], "v": {"augment": "mae", "crop_of": "x", "size": 32}},
                flow={**MASKED["flow"], "p": "patches(v)"},
            ),
            RUN,
        ),  # another rendering of the crop has the same places
        (
            change(
                SIMSIAM,
                views=TWO_VIEWS,
                flow={
                    "z": "g(f(x1))",
                    "y": "g(f(x2))",
                    "p": "h(z)",
                    "t": "stopgrad(maximum(z, y))",
                },
            ),
            RUN,
        ),  # the larger of two views is of neither alone
        (
            change(
                MASKED,
                nets={"f": MASKED["nets"]["f"], "d": {"use": "heads.linear", "out": 192}},
                targets={"t": {"ema_of": "f", "momentum": {"linear": [0.999, 0.9999]}}},
                ops={"mask": MASKED["ops"]["mask"]},
                flow={"m": "mask(x)", "y": "d(f(x, replace=m.hidden).patches)", "p": "t(x).patches"},
                losses={"latent": {"use": "losses.regression", "of": ["y", "p"]}},
            ),
            RUN,
        ),  # a copy that is predicted at hidden places need not rest
        (SLOW, RUN),
        (PARTS, RUN),
        (change(SIMCLR, losses={**SIMCLR["losses"], "even": EVEN}), RUN),
        (
            change(
                SIMCLR,
                flow={"z": "l2(as_columns(g(f(x))))"},
                losses={"contrast": {**SIMCLR["losses"]["contrast"], "negatives": "rank"}},
            ),
            RUN,
        ),  # every rank has all rows, and none gathers them
        (
            change(
                MASKED,
                ops={**MASKED["ops"], "rest": REST},
                losses={
                    **MASKED["losses"],
                    "seen": {**MASKED["losses"]["pixels"], "where": "visible", "weight": 0.1},
                },
                flow={**MASKED["flow"], "visible": "rest(m.hidden)"},
            ),
            RUN,
        ),  # what is seen counts, too, beside what is hidden
        (
            change(
                HIDDEN,
                nets={
                    **HIDDEN["nets"],
                    "d": {"use": "heads.linear", "out": 192},
                    "teacher": {"use": "backbones.vit", "preset": "nano", "patch": 8, "frozen": True, "weights": "$w"},
                },
                ops={**HIDDEN["ops"], "rest": REST},
                flow={**HIDDEN["flow"], "t": "teacher(x).patches", "visible": "rest(m.hidden)"},
                losses={"codes": {**HIDDEN["losses"]["codes"], "where": "visible"}},
            ),
            RUN,
        ),  # what a frozen teacher sees at a place is no copy of the image there
        (
            change(
                MASKED,
                ops={**MASKED["ops"], "less": {**REST, "factor": -0.5}},
                flow={**MASKED["flow"], "w": "less(m.hidden)"},
                losses={"pixels": {**MASKED["losses"]["pixels"], "where": "w"}},
            ),
            RUN,
        ),  # what is hidden counts by half
        (
            {
                **SMOOTH,
                "views": {"x1": {"augment": "mae", "size": 32}, "x2": {"augment": "mae", "size": 32}},
                "nets": {"f": MASKED["nets"]["f"], "g": G, "q": G},
                "targets": {"ft": {"ema_of": "f", "momentum": EMA}},
                "ops": {"mask": {"use": "masks.ranked"}},
                "state": {"queue": {"use": "memory.fifo", "size": 4096}},
                "flow": {
                    "m": "mask(mean(ft(x1).attention))",
                    "z1": "l2(g(f(x1, replace=m.hidden).cls))",
                    "z2": "l2(g(f(x2).cls))",
                    "nn": "nearest(z2, queue.read)",
                    "p": "l2(q(z1))",
                },
                "losses": {"near": {"use": "losses.info_nce", "of": ["p", "nn"]}},
                "after_step": ["queue.push(z2)"],
            },
            RUN,
        ),  # a copy chooses what is hidden, and makes nothing that is compared
        (
            change(
                SIMSIAM,
                nets={**SIMSIAM["nets"], "e": {"use": "heads.linear", "out": 8}},
                ops={"codes": {"use": "assignments.joint_sinkhorn"}},
                flow={**SIMSIAM["flow"], "s": "l2(e(codes(z[0])))"},
                losses={**SIMSIAM["losses"], "apart": {"use": "losses.koleo", "of": ["s"], "weight": 0.1}},
            ),
            RUN,
        ),  # codes are of the rows of one rank, though all ranks are counted
        (
            change(
                SLOW, flow={**SLOW["flow"], "t": "add(d_t(slow(x).patches), d_t(slow(x, replace=m.hidden).patches))"}
            ),
            RUN,
        ),
        (
            change(
                SWAV,
                targets={"ft": {"ema_of": "f", "momentum": EMA}, "gt": {"ema_of": "g", "momentum": EMA}},
                flow={**SWAV["flow"], "y": "c(l2(gt(ft(x))))"},
                losses={"swap": {"use": "losses.swav", "of": ["s", "a"]}, "even": {**EVEN, "of": ["y"]}},
            ),
            RUN,
        ),  # the codes are those of the trained net, and a copy stands elsewhere
        (SHARES, RUN),
        (MOCO, Facts()),
    ],
)
def test_a_rule_is_silent_where_it_does_not_know(text: Text, facts: Facts) -> None:
    assert numbers(text, facts) == []


@pytest.mark.parametrize(
    ("axes", "found"),
    [
        ({"rows": "b d", "others": "b d"}, []),
        ({"rows": "images dim", "others": "images dim"}, []),
        ({"rows": "batch dim", "others": "others dim"}, ["SG205"]),
    ],
)
def test_a_loss_of_ones_own_may_call_its_batch_as_it_likes(axes: dict[str, str], found: list[str]) -> None:
    text = change(SIMSIAM, losses={"one": {"use": "own:Part", "of": ["p", "t"]}})
    wired = wire(method(**text), stand_ins={"one": own("", **axes)})
    assert [finding.number for finding in lint(wired)] == found


@pytest.mark.parametrize(
    ("axes", "found"),
    [("b dim h w", []), ("batch c size size", []), ("b h w dim", ["SG206"]), ("b n tokens d", ["SG206"])],
)
def test_a_map_is_known_by_its_last_axes_whatever_they_are_called(axes: str, found: list[str]) -> None:
    text = change(
        SIMSIAM,
        nets={"f": {"use": "own:Part"}, "h": {"use": "heads.linear", "out": 4}},
        flow={"p": "h(mean(f(x[0])))", "t": "stopgrad(mean(f(x[1])))"},
    )
    wired = wire(method(**text), stand_ins={"f": own(axes, image="b 3 rows cols")})
    assert sorted({finding.number for finding in lint(wired)}) == found


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        (
            change(
                SIMCLR,
                nets={"f": F, "g": G, "bank": {"use": "heads.rows", "count": 64, "dim": 16}},
                flow={"q": "l2(g(f(x[0])))", "k": "l2(g(f(x[1])))", "n": "stopgrad(bank())"},
                losses={"one": {"use": "losses.info_nce", "of": ["q", "k"], "negatives": "n"}},
            ),
            "write l2(bank())",
        ),
        (
            change(RELIC, flow={"t": "l2(gt(ft(x2)))", "y": "scores(g(f(x1)), everyone(t))", "p": "shares(y)"}),
            "write l2(g(f(x1))), or leave the other l2(...) out",
        ),
        (
            change(RELIC, flow={**RELIC["flow"], "y": "scores(z, l2(gt(ft(x2))))"}),
            "write everyone(t), as a name of the flow if need be",
        ),
    ],
)
def test_a_cure_is_text_that_a_spec_can_have(text: Text, cure: str) -> None:
    assert cure in [finding.cure for finding in lint(graph(text))]


def test_the_text_of_a_value_makes_that_value() -> None:
    for name in catalogue.names("methods"):
        spec = load_method(name).spec
        wired = wire(spec)
        texts = {
            f"law_{value.name}": f"bag({queries.written(wired, value.name)})"
            for value in wired.training.values.values()
            if value.kind != "loss" and not wired.training.phase
            and not ((box := queries.box_of(wired, value.name)) and box.signature.has_fields)
        }  # fmt: skip
        again = wire(spec.model_copy(update={"flow": {**spec.flow, **texts}})).training
        assert {law: f"law_{again.values[again.flow[law]].inputs[0][1]}" for law in texts} == {
            law: law for law in texts
        }


def test_rows_that_are_trained_may_have_any_length_as_weights_of_a_classifier_do() -> None:
    text = change(
        SIMSIAM,
        nets={**SIMSIAM["nets"], "bank": {"use": "heads.rows", "count": 64, "dim": 16}},
        ops={"scores": {"use": "wiring.similarity"}},
        flow={
            "z": "l2(g(f(x)))",
            "p": "scores(z[0], bank())",
            "t": "scores(z[1], bank())",
        },
        losses={"one": {"use": "losses.distillation", "of": ["p", "t"]}},
    )
    assert "SG116" not in numbers(text)


def test_whitening_holds_images_apart() -> None:
    whitened = change(
        SIMCLR,
        flow={"z": "l2(whiten(g(f(x))))", "a": "z[0]", "b": "z[1]"},
        losses={"agree": {"use": "losses.cosine_regression", "of": ["a", "b"]}},
    )
    assert numbers(whitened, RUN) == []
    assert "SG101" in numbers(change(whitened, flow={**whitened["flow"], "z": "l2(g(f(x)))"}), RUN)
    turned = {"agree": {"use": "losses.dot_product", "of": ["a", "b"], "weight": -1}}
    assert numbers(change(whitened, losses=turned), RUN) == []
    assert "SG111" in numbers(change(whitened, flow={**whitened["flow"], "z": "l2(g(f(x)))"}, losses=turned), RUN)


def test_every_rule_is_broken_by_a_test_and_has_a_source() -> None:
    tested = {case[0] for case in test_a_method_that_breaks_a_rule_is_told_so.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert tested == {rule.number for rule in RULES} and len(RULES) == len({rule.number for rule in RULES})
    assert all(
        rule.sentence.endswith(".") and re.search(r"arXiv:\d{4}\.\d{5}|[\w-]+#\d+|W\d{4}|docs/\w+\.md", rule.source)
        for rule in RULES
    )


def test_a_finding_stands_at_its_place_with_its_source() -> None:
    loaded = load_method("moco_v2")
    (found,) = lint(wire(loaded.spec, loaded.place), Facts(images=50_000))
    assert re.fullmatch(r"specs/methods/moco_v2.yaml:\d+:\d+", str(found.place))
    assert str(found) == (
        f"{found.place}: SG001: 'queue' keeps 65,536 keys of 50,000 images: images meet their own older keys\n"
        "  make it shorter than the data set: --set state.queue.size=16384 (facebookresearch/moco#9)"
    )
    assert str(Finding("SG001", None, "a", "b", "c")) == "SG001: a\n  b (c)"


def test_a_rule_is_silenced_with_its_reason_and_the_finding_stays() -> None:
    text = change(SIMCLR, flow={"z": "g(f(x))"}, lint={"SG105": "whitened rows have their length"})
    (found,) = lint(graph(text), Facts(accumulate=1))
    assert found.reason == "whitened rows have their length"
    assert str(found).startswith("SG105 does not count: whitened rows have their length\n  ('contrast' compares")
    assert [f.reason for f in lint(graph(text), Facts(accumulate=4))] == [found.reason, ""]  # SG108 counts


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"SG999": "why"}, "lint.SG999: lint: there is no rule 'SG999'\n  there are: SG001, "),
        ({"SG105": " "}, "lint.SG105: SG105 is silenced without a reason\n  write why"),
    ],
)
def test_silence_needs_a_rule_and_a_reason(said: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        lint(graph(change(SIMCLR, lint=said)))
    assert message in str(refused.value)


@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_no_shipped_method_raises_a_doubt(name: str) -> None:
    loaded = load_method(name)
    assert [str(finding) for finding in lint(wire(loaded.spec, loaded.place)) if not finding.reason] == []


def test_the_length_of_a_run_is_steps_or_epochs() -> None:
    assert (
        Facts(steps=7, epochs=3).length == 7
        and Facts(epochs=3, images=100, batch=10).length == 30
        and Facts(epochs=3).length is None
    )


def test_a_half_life_is_where_half_is_left() -> None:
    assert [queries.half_life(m) for m in (0.5, 0.0, 1.0)] == [1, 0, float("inf")] and round(
        queries.half_life(0.999)
    ) == 693


def test_nets_of_a_value_count_a_copy_as_the_net_it_follows() -> None:
    wired = graph(BYOL)
    passed = queries.nets(wired)
    assert passed["p"] == {"f", "g", "q"} and passed["t"] == {"f", "g"}
    assert moved_by(wired, wired.training)["t"] == frozenset()


def test_a_value_that_is_read_twice_is_asked_once() -> None:
    lines = {f"a{n}": f"add(a{n - 1}, l2(a{n - 1}))" for n in range(1, 41)}
    text = change(
        BYOL,
        flow={"a0": "q(g(f(x1)))", **lines, "t": "gt(ft(x2))"},
        losses={"one": {**BYOL["losses"]["one"], "of": ["a40", "t"]}},
    )
    assert numbers(text, RUN) == []  # 2 ** 40 ways lead from a40 to a0


def test_rows_of_all_ranks_have_the_cure_that_the_loss_can_take() -> None:
    gathered = change(BANK, flow={**BANK["flow"], "n": "everyone(z)"})
    cures = [[found.cure for found in lint(graph(text), RUN)] for text in (BANK, gathered)]
    assert cures == [
        ["train on one rank, or by a loss that can leave the others out: losses.nt_xent with negatives: rank"],
        ["leave everyone(...) out"],
    ]


@pytest.mark.parametrize("text", ["noise that is dealt", "cosines", "products over a root"])
def test_what_is_dealt_or_scaled_as_it_should_be_is_left_alone(text: str) -> None:
    raw = {**LOGITS["flow"], "z": "g(f(x))", "t": "g(f(x1))"}
    texts = {
        "noise that is dealt": NAT,
        "cosines": LOGITS,
        "products over a root": change(
            LOGITS, flow=raw, ops={"scores": {"use": "wiring.similarity", "temperature": 11.3}}
        ),
    }
    assert lint(graph(texts[text]), RUN) == ()


def ranked(**settings: Any) -> Text:
    """HIDDEN with the patches hidden that a ViT attends to."""
    ops, flow = {"mask": {"use": "masks.ranked", **settings}}, {**HIDDEN["flow"], "m": "mask(mean(f(x).attention))"}
    return change(HIDDEN, ops=ops, flow=flow)


@pytest.mark.parametrize(
    ("text", "does"),
    [
        (
            change(HIDDEN, losses={"codes": {**HIDDEN["losses"]["codes"], "use": "losses.hard_distillation"}}),
            "is a mean",
        ),
        (
            change(
                HIDDEN,
                flow={**HIDDEN["flow"], "c": "argmax(t)"},
                losses={"codes": {"use": "losses.cross_entropy", "of": ["y", "c"], "where": "m.hidden"}},
            ),
            "is a mean",
        ),
        (
            change(
                HIDDEN,
                flow={**HIDDEN["flow"], "w": "product(m.hidden, m.hidden)"},
                losses={"codes": {**HIDDEN["losses"]["codes"], "where": "w"}},
            ),
            "is a mean",
        ),
        (
            change(
                HIDDEN,
                state={"old": {"use": "memory.fifo", "size": 64}},
                flow={**HIDDEN["flow"], "q": "l2(fold(y))", "k": "l2(fold(t))", "w": "fold(m.hidden)"},
                losses={
                    "codes": {"use": "losses.info_nce", "of": ["q", "k"], "negatives": "old.read", "where": "w"},
                },
                after_step=["old.push(k)"],
            ),
            "is a mean",
        ),
        (BOTH, "is a mean"),
        (ranked(ratio={"uniform": [0.1, 0.5]}), "is a mean"),
        (ranked(ratio=0.3), ""),
        (change(HIDDEN, ops={"mask": {"use": "masks.uniform", "patch": 8}}), ""),
    ],
    ids=["hard_distillation", "cross_entropy", "product", "info_nce", "regions", "drawn", "ranked", "as many of each"],
)
def test_what_is_made_of_uneven_marks_is_uneven(text: Text, does: str) -> None:
    found = [each.message for each in lint(graph(text), Facts(batch=64, accumulate=2)) if each.number == "SG108"]
    assert [does in message for message in found] == [True] * bool(does)


@pytest.mark.parametrize(("name", "spans"), [("data2vec", True), ("simmim", False), ("mae", False), ("ibot", False)])
def test_a_mean_over_unevenly_hidden_places_spans_the_batch(name: str, spans: bool) -> None:
    loaded = load_method(name)
    findings = lint(wire(loaded.spec, loaded.place), Facts(batch=64, accumulate=2))
    found = [each.message for each in findings if each.number == "SG108"]
    assert bool(found) == spans
    assert not spans or "is a mean over all places of the 32 images of a micro-batch" in found[0]
