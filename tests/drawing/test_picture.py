"""What a picture says of a method: symmetry, stacks, stops, players, folds; and that a spec's words stay words."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from random_methods import settled
from rules import broken
from test_layout import shipped
from toys import EYE, SQUARE, TWO_VIEWS, dense, sized

from sslgraph.checked import sized_graph, wired
from sslgraph.drawing import LIGHT, Box, Picture, fold, foldable, layout, picture, svg
from sslgraph.drawing.arrange.grid.columns import columns
from sslgraph.drawing.arrange.grid.rows import grid
from sslgraph.drawing.elements.forms import Words
from sslgraph.drawing.elements.measure import symbol
from sslgraph.drawing.elements.picture import NETS
from sslgraph.drawing.elements.place import Place
from sslgraph.drawing.elements.words import (
    count,
    loss_words,
    number,
    op_words,
    part_words,
    scheduled,
    shape_words,
    spaced,
)
from sslgraph.drawing.figure.branches import branches
from sslgraph.drawing.figure.said import relabelled
from sslgraph.drawing.figure.summed import gathered
from sslgraph.drawing.paint.at_lines import stop
from sslgraph.drawing.paint.shows import shown
from sslgraph.drawing.write.graph_text import dot, mermaid
from sslgraph.drawing.write.terminal import text
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.method import load
from sslgraph.parts.registry import signature
from sslgraph.pipelines.check import check


def boxes(drawn: Picture, kind: str) -> list[Box]:
    return [box for panel in drawn.panels for box in panel.boxes if box.kind == kind]


@pytest.mark.parametrize(
    ("name", "count_"), [("byol", 1), ("simsiam", 1), ("pixpro", 1), ("barlow_twins", 1), ("context_encoder", 4)]
)
def test_of_two_mirrored_losses_one_is_drawn(name: str, count_: int) -> None:
    drawn = picture(shipped(name))
    assert len(boxes(drawn, "loss")) == count_
    assert ("views swapped" in boxes(drawn, "loss")[0].note) == (name in ("byol", "simsiam", "pixpro"))
    if name == "byol":
        assert drawn.symmetry == "x1, x2"
        assert len(boxes(picture(shipped(name), level="every-call"), "loss")) == 2


def test_a_loss_of_another_weight_is_no_mirror_image() -> None:
    text = {
        "views": TWO_VIEWS,
        "nets": {"f": EYE, "g": dense(3)},
        "flow": {"a": "g(f(x1))", "b": "g(f(x2))", "c": "stopgrad(f(x1))", "d": "stopgrad(f(x2))"},
        "losses": {"one": {**SQUARE, "of": ["a", "d"]}, "two": {**SQUARE, "of": ["b", "c"]}},
    }
    assert len(boxes(picture(sized(**text)), "loss")) == 1
    text["losses"]["two"]["weight"] = 0.5
    assert len(boxes(picture(sized(**text)), "loss")) == 2


def test_views_that_are_always_read_together_are_one_stack() -> None:
    stacks = {box.id: (box.symbol, box.copies) for box in boxes(picture(shipped("dino")), "view")}
    assert stacks == {"x1": ("x1, x2", 2), "local_crops": ("local_crops", 8)}
    assert len(boxes(picture(shipped("dino"), level="every-call"), "view")) == 3


def test_a_matrix_of_features_by_features_has_no_images_as_rows_though_the_batch_is_as_wide() -> None:
    edges = [edge for panel in picture(shipped("tico")).panels for edge in panel.edges]
    assert {edge.shape for edge in edges if edge.name == "now" and edge.kind == "data"} == {"256×256"}
    assert {edge.shape for edge in edges if edge.name == "shared"} == {"B×256"}  # similarity has a row for each image


def test_scores_of_images_with_images_are_b_by_b_and_with_trained_rows_are_not() -> None:
    settled = sized(
        batch=256,
        views={"x1": {"augment": "none"}, "x2": {"augment": "none"}},
        nets={"f": EYE, "g": dense(), "bank": {"use": "heads.rows", "count": 256, "dim": 2}},
        ops={"shares": {"use": "wiring.softmax"}},
        flow={
            "z": "g(f(x1))",
            "t": "stopgrad(g(f(x2)))",
            "s": "shares(similarity(z, everyone(t)))",
            "c": "similarity(z, l2(bank()))",
        },
        losses={"l": {"use": "losses.mean", "of": ["s"]}, "m": {"use": "losses.mean", "of": ["c"]}},
    )
    edges = {edge.name: edge.shape for panel in picture(settled).panels for edge in panel.edges}
    assert (edges["s"], edges["c"]) == ("B×B", "B×256")


def test_a_line_says_which_view_of_a_bag_it_carries() -> None:
    settled = sized(
        views={"x": {"augment": "none", "copies": 2}},
        nets={"f": EYE, "g": dense()},
        flow={"z": "g(f(x))", "p": "z[0]", "y": "g(f(x[1]))", "t": "n(z[1])"},
        losses={"l": {**SQUARE, "of": ["p", "t"]}, "m": {**SQUARE, "of": ["y", "t"]}},
        ops={"n": {"use": "parts:Noise"}},
    )
    lines = {(edge.source, edge.target): edge.name for edge in picture(settled).panels[0].edges}
    assert lines["z", "l"] == "p" and lines["x", "f_x_1"] == "x[1]" and lines["z", "t"] == "z[1]"


def test_stops_stand_where_a_gradient_ends() -> None:
    def stops(name: str) -> set[tuple[str, str]]:
        return {(edge.source, edge.target) for edge in picture(shipped(name)).panels[-1].edges if edge.stop}

    assert stops("simsiam") == {("z2", "one")}
    assert stops("byol") == {("t2", "one")}
    assert stops("barlow_twins") == set()
    assert stops("swav") == {("s_large", "q"), ("c_queue_read", "q")}
    assert len(stops("msn")) == 1, "what is stopped before Sinkhorn-Knopp is not stopped again behind it"


@pytest.mark.parametrize("labels", ["argmax(u(t(x2)))", "stopgrad(argmax(u(t(x2))))"])
def test_an_index_has_no_gradient_to_stop(labels: str) -> None:
    text = {
        "views": {"x1": {"augment": "none"}, "x2": {"augment": "none"}},
        "nets": {"f": EYE, "g": dense(3)},
        "targets": {name: {"ema_of": net, "momentum": 0.9} for name, net in (("t", "f"), ("u", "g"))},
        "flow": {"y": "g(f(x1))", "k": labels},
        "losses": {"loss": {"use": "losses.cross_entropy", "of": ["y", "k"]}},
    }
    stopped = [edge.target for edge in picture(settled(text)).panels[0].edges if edge.stop]
    assert stopped == [], "all that the labels come from is a slow copy, and they meet the net as an index"


def test_what_several_losses_read_leaves_its_box_once_is_stopped_once_and_then_forks() -> None:
    drawn = picture(shipped("un_mix"))
    assert svg(drawn).count('class="stop"') == svg(drawn).count(">stop-grad<") == 1
    placed = layout(drawn.panels[0])
    keys = [placed.lines[n] for n, e in enumerate(drawn.panels[0].edges) if e.stop]
    assert len(keys) == 3 and len({points[0] for points in keys}) == 1 and len({points[-1] for points in keys}) == 3


def test_losses_of_the_same_two_things_are_one_box() -> None:
    found = gathered(picture(shipped("vicreg"))).panels[0]
    (loss,) = [box for box in found.boxes if box.kind == "loss"]
    assert loss.title == "sum of 3 losses" and loss.members == ("invariance", "variance", "covariance")
    assert loss.sub.split("\n") == [
        "invariance · regression · weight 25",
        "variance · weight 25",
        "covariance · weight 2",
    ]
    arriving = [edge for edge in found.edges if edge.target == loss.id]
    assert len(arriving) == 2 and {edge.losses for edge in arriving} == {("invariance", "variance", "covariance")}
    apart = picture(shipped("context_encoder"))
    assert gathered(apart) == apart


def test_calls_of_a_net_that_are_read_together_or_read_one_net_are_one_box() -> None:
    found = gathered(picture(shipped("ibot"))).panels[0]
    assert [box.part for box in found.boxes if box.kind in NETS] == ["s", "hs", "t", "ht"]
    part = {box.id: box.part or box.id for box in found.boxes}
    between = [(e.name, e.port, e.shape) for e in found.edges if (part[e.source], part[e.target]) == ("s", "hs")]
    assert between == [("g, l", "", ""), ("", "patches", "2B×196×384")]
    assert {part[e.source] for e in found.edges if part[e.target] == "s"} == {"x", "local_crops", "mask"}
    assert [e.kind for e in found.edges if e.kind == "same"] == [], "one box needs no double line to itself"
    (encoder,) = [box for box in found.boxes if box.part == "s"]
    assert set(encoder.values) == {"g", "l"} and set(encoder.trained_by) == {"patch", "image"}


@pytest.mark.parametrize("name", ["simsiam", "pirl", "relative_patch", "densecl", "ressl"])
def test_calls_of_a_net_on_branches_of_their_own_stay_apart(name: str) -> None:
    assert gathered(picture(shipped(name))) == picture(shipped(name))


@pytest.mark.parametrize("name", ["ibot", "dinov3", "msn", "vicreg", "simsiam"])
def test_what_is_drawn_once_stands_for_all_that_is_read(name: str) -> None:
    drawn = picture(shipped(name))
    for apart, once in zip(drawn.panels, gathered(drawn).panels, strict=True):
        reads = [sorted(read for edge in panel.edges for read in edge.reads) for panel in (apart, once)]
        assert reads[0] == reads[1]
        losses: dict[object, set[str]] = {}
        for edge in apart.edges:
            for read in edge.reads:
                losses.setdefault((read, edge.gradient), set()).update(edge.losses)
        for edge in once.edges:
            assert set(edge.losses) == {loss for read in edge.reads for loss in losses[read, edge.gradient]}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_without_a_gradient_look_as_the_legend_has_them_where_gradients_are_shown(theme: str) -> None:
    drawn = svg(picture(shipped("byol")), theme=theme, gradients=True)
    group = r'<g class="edge data (?:input|none)"[^>]*><title>[^<]*</title>'
    lines = re.findall(group + r'<path[^>]* stroke="([^"]+)"', drawn)
    (words,) = re.findall(r'stroke="([^"]+)"[^>]*/>\s*<text[^>]*>input data<', drawn)
    assert len(lines) > 5 and set(lines) == {words}


def test_every_call_has_its_box_where_a_box_for_every_call_is_asked_for() -> None:
    drawn = picture(shipped("ibot"), level="every-call")
    assert len(gathered(drawn).panels[0].boxes) == len(drawn.panels[0].boxes)


def test_a_mask_shows_at_its_encoder_what_enters() -> None:
    def entering(name: str) -> dict[str, str]:
        return {box.symbol: box.shows for box in boxes(picture(shipped(name)), "encoder")}

    assert entering("mae") == {"enc": "visible mask"} and entering("simmim") == {"enc": "masked mask"}
    assert entering("ijepa") == {"s": "visible blocks", "t": ""}
    cells = [
        shown(0, 0, 40, Box("f", "encoder", shows=f"{how} mask", share="0.75"), LIGHT) for how in ("visible", "masked")
    ]
    assert [len(group.parts) - 1 for group in cells] == [12, 12] and cells[0] != cells[1]


def test_a_line_of_several_outputs_claims_no_shape_of_one() -> None:
    (line,) = [e for e in picture(shipped("ijepa")).panels[0].edges if e.port == "seen, wanted, hidden"]
    assert line.shape == ""


def test_rows_that_an_op_picks_out_of_a_batch_have_the_ops_own_word() -> None:
    shapes = {e.shape for e in picture(shipped("beit")).panels[0].edges if "picked" in e.shape}
    assert shapes == {"picked×768", "picked×8192"}


def test_a_write_says_which_of_several_things_it_writes() -> None:
    labels = {e.label for e in picture(shipped("pcl")).panels[0].edges if e.kind == "write"}
    assert labels == {"write labels", "write centroids", "write temperatures"}


def test_only_slow_copies_stand_on_their_ground() -> None:
    for name in ("msn", "capi", "ibot"):
        panel = picture(shipped(name)).panels[0]
        kinds = {frame.title: {panel.box(id_).weights for id_ in frame.boxes} for frame in panel.frames}
        assert sorted(map(sorted, kinds.values())) == [["ema"], ["trained"]], name
        placed = layout(panel)
        for ground in placed.grounds:
            inside = {
                box.id
                for box in panel.boxes
                if box.kind == "memory"
                and ground.left < placed.places[box.id].x < ground.right
                and ground.top < placed.places[box.id].y < ground.bottom
            }
            assert not inside, f"{name}: {inside} on the ground of {ground.title}"


def test_relations_run_between_the_nearest_boxes_of_a_net() -> None:
    for name in ("ibot", "dinov2", "scrl"):
        placed = layout(picture(shipped(name)).panels[0])
        ties = [placed.lines[n] for n, e in enumerate(placed.panel.edges) if e.kind in ("ema", "same")]
        assert ties and all(len(points) == 2 for points in ties), name


def test_a_view_whose_index_is_written_below_has_its_name_above() -> None:
    written, unwritten = places("instdisc")["x"].extent, places("simclr")["x"].extent
    assert written.is_note_above and written.above > unwritten.above and not unwritten.is_note_above


def places(name: str) -> dict[str, Place]:
    return layout(picture(shipped(name)).panels[-1]).places


def test_a_net_that_a_loss_leaves_alone_is_drawn_fixed() -> None:
    judges = {box.id: (box.weights, box.trained_by) for box in boxes(picture(shipped("context_encoder")), "head")}
    assert judges == {
        "judged_fake": ("frozen", ()),
        "judged_fake_only": ("trained", ("spot",)),
        "judged_real": ("trained", ("respect",)),
    }
    assert [box.trains for box in boxes(picture(shipped("context_encoder")), "loss")] == [("enc", "dec")] * 2 + [
        ("d",)
    ] * 2


def test_each_call_of_a_bag_that_is_written_has_its_line() -> None:
    text = {
        "views": TWO_VIEWS,
        "nets": {"f": EYE, "g": dense()},
        "flow": {"z": "bag(g(f(x1)), g(f(x2)))"},
        "state": {"m": {"use": "parts:Mean"}},
        "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "m.read"}},
        "after_step": ["m.add(z)"],
    }
    drawn = picture(sized(**text))
    calls = [box.id for box in boxes(drawn, "head") if box.part == "g"]
    written = [edge.source for edge in drawn.panels[0].edges if edge.kind == "write" and edge.target == "m"]
    assert sorted(written) == sorted(calls) and len(calls) == 2


def test_views_of_one_augmentation_with_other_settings_are_two_stacks() -> None:
    def stacks(least: float) -> list[tuple[str, int]]:
        crops = {"augment": "simclr", "copies": 2, "size": 32}
        text = {
            "views": {"x": crops, "y": {**crops, "copies": 4, "scale": [least, 1.0]}, "w": {**crops, "copies": 1}},
            "nets": {"f": EYE},
            "flow": {"z": "f(bag(x, y, w))", "t": "stopgrad(z)"},
            "losses": {"l": {**SQUARE, "of": ["z", "t"]}},
        }
        return [(box.symbol, box.copies) for box in boxes(picture(sized(**text)), "view")]

    assert stacks(0.5) == [("x, w", 3), ("y", 4)]


def test_phases_are_panels() -> None:
    drawn = picture(shipped("deepcluster"))
    assert [panel.title for panel in drawn.panels] == ["cluster, every epoch, then head.reset", "train"]
    assert [(e.source, e.target) for e in drawn.panels[0].edges if e.kind == "write"] == [
        ("cluster:kmeans_l2_reduce_e", "cluster:labels")
    ]


def test_a_pass_that_collects_a_port_hands_it_on_under_the_name_of_its_phase() -> None:
    loaded, _ = check.load("demo/deepcluster", {})  # e is f(xc), of which the pooled port is collected
    drawn = picture(sized_graph(wired(loaded), loaded, batch=128))
    (collected,) = [box for box in drawn.panels[0].boxes if box.title == "all images"]
    assert collected.id == "cluster:all.e"
    assert {(e.source, e.target) for e in drawn.panels[0].edges} >= {
        ("cluster:e", "cluster:all.e"),
        ("cluster:all.e", "cluster:reduce_e"),
    }


def test_the_size_of_a_table_of_images_is_left_to_the_data() -> None:
    assert {box.sub for box in boxes(picture(shipped("deepcluster")), "memory")} == {"a row for each image"}
    assert [box.sub for box in boxes(picture(shipped("moco_v2")), "memory")] == ["65 536×128"]


def test_a_line_into_a_bag_carries_one_view_and_a_row_for_each_image_is_n() -> None:
    lines = {(edge.source, edge.target): edge.shape for edge in picture(shipped("vicreg")).panels[0].edges}
    assert lines["z1", "variance"] == lines["z2", "covariance"] == lines["z1", "invariance"] == "B×8192"
    assert {edge.name: edge.shape for edge in picture(shipped("instdisc")).panels[0].edges}["y"] == "B×N"


def test_a_role_can_be_said() -> None:
    found = {box.symbol: (box.title, box.kind) for box in picture(shipped("simmim")).panels[0].boxes}
    assert found["dec"] == ("decoder", "decoder")


def test_a_loss_may_have_the_name_of_the_image_that_views_come_from() -> None:
    text = {"views": TWO_VIEWS, "nets": {"f": EYE}, "flow": {"a": "f(x1)", "b": "f(x2)"}}
    panel = picture(sized(**text, losses={"image": {**SQUARE, "of": ["a", "b"]}})).panels[0]
    assert {box.id: box.kind for box in panel.boxes if box.id.startswith("image")} == {
        "image": "loss",
        "image_": "image",
    }
    assert layout(panel).places["image"] != layout(panel).places["image_"]


def test_branches_of_two_networks_share_no_row_and_so_no_ground() -> None:
    panel = picture(shipped("ibot")).panels[0]
    title = {name: frame.title for frame in panel.frames for name in frame.boxes}
    rows = grid(panel, columns(panel)).rows
    assert all(len({title[name] for name in row if name in title}) < 2 for row in rows)
    assert {title[name] for name in ("g", "l", "ps", "qs")} == {"student"}


def test_a_folded_branch_keeps_what_enters_and_leaves_it() -> None:
    drawn = picture(shipped("byol"))
    small = fold(drawn, *foldable(drawn))
    folded = boxes(small, "fold")
    assert [(box.title, box.sub, box.weights) for box in folded] == [
        ("online network", "f → g → q", "trained"),
        ("target network", "ft → gt", "ema"),
    ]
    lines = {(edge.source, edge.target, edge.kind) for edge in small.panels[0].edges}
    assert ("f_x1.folded", "ft_x2.folded", "ema") in lines and ("f_x1.folded", "one", "data") in lines
    assert fold(drawn, "no such lane") == drawn


SAID = {
    "views": TWO_VIEWS,
    "nets": {"f": EYE},
    "ops": {"n": {"use": "parts:Noise"}},
    "flow": {"a": "f(x1)", "b": "stopgrad(n(f(x2)))"},
    "losses": {"one": {**SQUARE, "of": ["a", "b"]}},
}


def test_an_author_names_hides_orders_and_points() -> None:
    said = {"names": {"f": "eye", "x1": "strong"}, "hide": ["n"], "order": ["x2"], "focus": ["losses.one"]}
    plain, told = picture(sized(**SAID)), picture(sized(**SAID, picture={**said, "caption": "So."}))
    assert {box.title for box in boxes(told, "encoder")} == {"eye"} != {box.title for box in boxes(plain, "encoder")}
    assert [box.sub for box in boxes(told, "augmentation") if box.part == "x1"] == ["strong"]
    assert [box.title for box in boxes(plain, "op")] == ["noise"] and not boxes(told, "op")
    assert ("f_x2", "one", True) in {(e.source, e.target, e.stop) for e in told.panels[0].edges}
    tops = [min(layout(p.panels[0]).places, key=lambda n: layout(p.panels[0]).places[n].y) for p in (plain, told)]
    assert tops[0] != tops[1]
    assert ">So.</text>" in svg(told) and 'opacity="0.3"' in svg(told) and 'opacity="0.3"' not in svg(plain)


def test_a_picture_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match="picture: hide: there is no 'm'"):
        sized(**SAID, picture={"hide": ["m"]})
    with pytest.raises(SslgraphError, match="the picture has no part 'g'"):
        relabelled(picture(sized(**SAID)), {"g": "student"})
    assert [b.title for b in boxes(relabelled(picture(sized(**SAID)), {"f": "eye"}), "encoder")] == ["eye", "eye"]


def test_a_picture_is_no_difference_and_is_not_inherited() -> None:
    told = load("byol", {"picture": {"names": {"f": "eye"}}})
    assert told.spec.picture.names == {"f": "eye"} and not told.diff("byol").lines[1:]
    assert load({"extends": "byol", "method": "Mine"}).spec.picture.branches == {}


def test_a_loss_of_several_has_its_name_and_a_queue_is_what_the_loss_calls_it() -> None:
    assert [box.title for box in boxes(picture(shipped("context_encoder")), "loss")] == [
        "pixels",
        "fool",
        "spot",
        "respect",
    ]
    (read,) = [e for e in picture(shipped("moco_v2")).panels[0].edges if e.source == "queue" and e.kind == "data"]
    assert read.port == "negatives"


def test_an_augmentation_says_what_it_does() -> None:
    subs = [box.sub for box in boxes(picture(shipped("byol")), "augmentation")]
    assert subs == ["crop, flip, jitter, gray, blur", "crop, flip, jitter, gray, blur, solarize"]


def test_names_are_mathematics_where_they_mean_it() -> None:
    said = {name: [run.text for run in symbol(name)] for name in ("x1", "ft", "fc", "up", "xi", "z_large", "theta_1")}
    assert said == {
        "x1": ["x", "1"],
        "ft": ["f", "t"],
        "fc": ["fc"],
        "up": ["up"],
        "xi": ["ξ"],
        "z_large": ["z", "large"],
        "theta_1": ["θ", "1"],
    }
    assert [run.text for run in symbol("layer1,\nlayer2") if run.is_sub] == ["1", "2"], "however a list is broken"


def test_an_op_shows_what_it_does_to_an_image() -> None:
    assert {box.shows for box in boxes(picture(shipped("mae")), "op")} == {"mask", ""}
    hidden = shown(0, 0, 40, Box("m", "op", shows="mask", settings=(("ratio", "0.75"),)), LIGHT)
    assert len(hidden.parts) - 1 == 12  # of sixteen cells
    turned = shown(0, 0, 40, Box("t", "op", shows="turns", shapes=("4B×3×224²",)), LIGHT)
    assert len(turned.parts) == 4


def test_words_of_a_spec_are_words_in_every_format() -> None:
    title = '<script>alert("1")</script> & ]]>'
    drawn = picture(
        sized(method=title, nets={"f": EYE}, flow={"y": "f(x)"}, losses={"loss": {**SQUARE, "of": ["y", "y"]}})
    )
    root = ElementTree.fromstring(svg(drawn))
    assert root.find("{http://www.w3.org/2000/svg}title").text == title  # type: ignore[union-attr]
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "<script>" not in mermaid(drawn) and '\\"1\\"' in dot(drawn) and text(drawn).startswith(title)


def test_the_terminal_shows_boxes_and_gradients() -> None:
    said = text(picture(shipped("simclr")))
    assert "encoder f" in said and "━▶" in said and max(map(len, said.splitlines())) < 140
    boxed = [line for line in said.splitlines() if "encoder f" in line]
    assert len(boxed) == 1 and boxed[0].index("encoder f") < boxed[0].index("projector g")


@pytest.mark.parametrize("name", ["simclr", "byol", "dino", "swav"])
def test_the_terminal_drawing_keeps_to_the_terminal(name: str) -> None:
    drawn = picture(shipped(name))
    assert text(drawn, 400) == text(drawn), "where there is room, nothing changes"
    for wide in (120, 80):
        said = text(drawn, wide)
        assert max(map(len, said.splitlines())) <= wide
        nets = [box.symbol for box in boxes(drawn, "encoder")]
        assert all(net in said for net in nets) and "stop-gradient" in said


def test_what_is_wider_than_the_terminal_goes_on_below() -> None:
    said = text(picture(shipped("swav")), 60).splitlines()
    assert max(map(len, said)) <= 60
    assert [line for line in said if line.endswith("⋯")] and [line for line in said if line.startswith("⋯")]


def test_other_tools_get_branches_as_groups_and_lines_in_their_kinds() -> None:
    drawn = picture(shipped("byol"))
    flow, graph = mermaid(drawn), dot(drawn)
    assert 'subgraph b0_0["online network"]' in flow and flow.count("\n  end") == flow.count("  subgraph ") == 2
    kinds = [e.kind if e.kind != "data" else e.gradient for e in drawn.panels[0].edges]
    numbers = ",".join(str(number) for number, kind in enumerate(kinds) if kind == "ema")
    assert f"linkStyle {numbers} stroke:#A86400,stroke-dasharray:1 4" in flow
    assert 'subgraph cluster_0_1 { label="target network"' in graph and graph.count("{") == graph.count("}")


def test_parts_are_called_as_the_field_calls_them() -> None:
    assert part_words(signature("backbones.resnet"), {"depth": 50}) == "ResNet-50"
    assert part_words(signature("backbones.vit"), {"preset": "small", "patch": 16}) == "ViT-S/16"
    assert part_words(signature("heads.mlp"), {"hidden": [4096], "out": 256}) == "MLP 4096→256"
    assert part_words(signature("heads.mae_decoder"), {"depth": 8}) == "MAE decoder, 8 blocks"
    assert part_words(signature("heads.transformer"), {"depth": 4, "attention": "all"}) == "Transformer-4"
    assert part_words(signature("heads.transformer"), {"depth": 4, "attention": "causal"}) == "causal Transformer-4"
    mask = {"ratio": 0.75, "patch": 16}
    assert op_words(signature("masks.uniform"), mask, mask) == ("uniform mask 75 %", "")
    likeness = {"temperature": 0.04}
    assert op_words(signature("wiring.similarity"), likeness, likeness) == ("similarity", "τ = 0.04")
    mixed = {"share": [-0.5, 0], "count": 64}
    assert op_words(signature("wiring.mixed_rows"), mixed, mixed) == ("mixed rows", "share = -0.5, 0 · count = 64")
    assert op_words(signature("clustering.granularities"), {"k": [30, 30]}, {})[0] == "k-means k = 2 × 30"
    assert loss_words("", {"minus_entropy": True, "pairs": "all"}, 1) == "minus entropy · pairs: all"
    assert loss_words("", {"temperature": 0.2}, 0.5) == "τ = 0.2 · weight 0.5"
    assert [spaced(name) for name in ("InfoNCE", "CosineRegression", "MyLoss")] == [
        "InfoNCE",
        "cosine regression",
        "my loss",
    ]


def test_numbers_are_short() -> None:
    assert [count(n) for n in (999, 384_000, 23_508_032, 151_000_000)] == ["999", "384 k", "23.5 M", "151 M"]
    assert [number(n) for n in (2048, 65_536)] == ["2048", "65 536"]
    assert shape_words([(512, 3, 224, 224)], 256) == "2B×3×224²"
    assert shape_words([(65_536, 128)], None) == "65 536×128"
    assert scheduled({"cosine": [0.996, 1.0]}) == "0.996 → 1" and scheduled(0.999) == "0.999"


def test_what_never_moves_in_a_net_stands_under_its_box() -> None:
    settled = sized(
        nets={"f": {**EYE, "freeze": {"scale": "always"}}, "g": dense(freeze="always")},
        flow={"z": "g(f(x))", "w": "stopgrad(z)"},
        losses={"l": {**SQUARE, "of": ["z", "w"]}},
    )
    found = {box.symbol: (box.weights, box.note) for box in picture(settled).panels[0].boxes if box.weights != "none"}
    assert found == {"f": ("trained", "scale fixed"), "g": ("frozen", "")}


def test_words_at_a_line_keep_clear_of_lines_that_cross_it() -> None:
    placed = layout(picture(shipped("densecl")).panels[-1])
    uprights = [(x, *sorted((y0, y1))) for p in placed.lines.values() for (x, y0), (z, y1) in pairwise(p) if x == z]
    for label in (label for label in placed.labels if label.kind == "data" and not label.is_row):
        room = label.x - label.width / 2, label.x + label.width / 2
        assert not any(room[0] < x < room[1] and top < label.y < low for x, top, low in uprights), label.above


def test_two_views_of_one_stack_become_two_branches() -> None:
    drawn = branches(picture(shipped("simclr")))
    (panel,) = drawn.panels
    assert [box.symbol for box in boxes(drawn, "view")] == ["x1", "x2"] and len(boxes(drawn, "encoder")) == 2
    assert [(e.source, e.target) for e in panel.edges if e.kind == "same"] == [
        (f"{name}/1", f"{name}/2") for name in ("f_x", "g_f_x")
    ]
    assert {shape for box in panel.boxes for shape in box.shapes if box.kind == "view"} == {"B×3×224²"}
    with pytest.raises(SslgraphError, match="--level branches: MAE has no two views in one stack"):
        branches(picture(shipped("mae")))


def test_the_swap_of_swav_is_drawn() -> None:
    drawn = branches(picture(shipped("swav")))
    (panel,) = drawn.panels
    read = {(e.source[-1], e.target[-1], e.gradient) for e in panel.edges if panel.box(e.target).kind == "loss"}
    assert read == {("1", "1", "gradient"), ("2", "2", "gradient"), ("1", "2", "none"), ("2", "1", "none")}
    assert {box.note for box in boxes(drawn, "encoder")} == {"also 6 small crops"}


@pytest.mark.parametrize("name", ["simclr", "swav", "dino", "dcl"])
def test_branches_keep_every_rule(name: str) -> None:
    assert [fault for panel in branches(picture(shipped(name))).panels for fault in broken(panel)] == []


def test_the_word_of_a_stop_keeps_clear_of_a_write_beside_it() -> None:
    placed = layout(picture(shipped("infomin")).panels[0])
    ((number, point), *_) = placed.stops.items()
    (write,) = [n for n, edge in enumerate(placed.panel.edges) if edge.kind == "write"]
    below = placed.lines[write]
    assert below[0][1] > point[1], "the queue stands below"
    for line, is_above in ((below, False), ([(x, 2 * point[1] - y) for x, y in below], True)):
        placed.lines[write] = line
        (word,) = [part for part in stop(placed, point, number, LIGHT).parts if isinstance(part, Words)]
        assert (word.y > point[1]) == is_above, "the word stands on the other side"
