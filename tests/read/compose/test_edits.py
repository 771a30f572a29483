"""extends with set, replace and remove: what a child may change of its parent, and how it is said where it may not."""

from pathlib import Path

import pytest
from texts import put, shelf_of_specs  # noqa: F401 - the fixture shelf

from sslgraph.errors import SpecError
from sslgraph.read.load import load_method
from sslgraph.read.spec import Method, Part


def child(shelf: Path, text: str) -> Method:
    return load_method(put(shelf, "methods/child", text)).spec


def message(shelf: Path, text: str) -> str:
    with pytest.raises(SpecError) as caught:
        child(shelf, text)
    return str(caught.value).replace(f"{shelf}/methods/", "")


def test_a_child_changes_what_it_names_and_keeps_the_rest(shelf: Path) -> None:
    parent = load_method("moco").spec
    set_two = "set: {method: Colder, losses.info.temperature: 0.07, nets.g.out: 64}"
    text = f"extends: moco\n{set_two}\nreplace: {{nets.f: {{use: a.b}}}}"
    method = child(shelf, text)
    assert method.method == "Colder"
    assert method.losses["info"].settings == {"negatives": "queue.read", "temperature": 0.07}
    assert method.nets["g"].settings == {"hidden": [2048], "out": 64}
    assert method.nets["f"] == Part(use="a.b")
    assert method.model_copy(update={"method": parent.method, "losses": parent.losses, "nets": parent.nets}) == parent


def test_a_setting_may_be_new(shelf: Path) -> None:
    method = child(
        shelf, "extends: moco\nset: {nets.f.stem: cifar, nets.f.sync_norm: false, targets.fk.momentum.over: 5 epochs}"
    )
    assert method.nets["f"].settings["stem"] == "cifar"
    assert method.nets["f"].sync_norm is False
    assert method.targets["fk"].momentum == {"cosine": [0.99, 1.0], "over": "5 epochs"}


def test_a_dotted_setting_of_a_view_is_one_key(shelf: Path) -> None:
    method = child(shelf, "extends: moco\nset: {views.xk.crop.scale: [0.1, 1], views.xq.blur.p: 0}")
    assert method.views["xk"].settings == {"crop.scale": [0.1, 1]}
    assert method.views["xq"].settings == {"blur.p": 0}


def test_sections_merge_by_the_name_of_a_node_and_lists_never(shelf: Path) -> None:
    text = "extends: moco\nnets: {h: {use: heads.linear}}\nflow: {q: l2(h(g(f(xq))))}\nafter_step: [queue.push(q)]"
    method = child(shelf, text)
    assert list(method.nets) == ["f", "g", "h"]
    assert method.flow == {"q": "l2(h(g(f(xq))))", "k": "l2(gk(fk(xk)))"}
    assert method.after_step == ["queue.push(q)"]


def test_what_is_removed_may_be_written_anew(shelf: Path) -> None:
    method = child(shelf, "extends: moco\nremove: [nets.g, losses.info.temperature]\nnets: {g: {use: a.b}}")
    assert method.nets["g"] == Part(use="a.b")
    assert "temperature" not in method.losses["info"].settings


def test_phases_are_named_in_paths(shelf: Path) -> None:
    method = child(shelf, "extends: program\nset: {phases.cluster.every: 2 epochs, phases.train.losses.ce.weight: 2}")
    assert method.phases[0].every == "2 epochs"
    assert method.phases[1].losses["ce"].weight == 2
    assert [p.name for p in child(shelf, "extends: program\nremove: [phases.cluster]").phases] == ["train"]


def test_a_node_of_the_child_replaces_the_parents_whole_and_the_message_says_so(shelf: Path) -> None:
    said = message(shelf, "extends: moco\nlosses: {info: {temperature: 0.1}}")
    assert said.startswith("child.yaml:2:16: losses.info has no use:")
    assert "replaces its parent's as a whole; set: changes one setting" in said


@pytest.mark.parametrize(
    "text, said",
    [
        ("set: {nets.gg.out: 3}", "child.yaml:2:7: 'nets' has no 'gg'\n  there are: f, g\n  did you mean 'g'?"),
        ("set: {nets.h: {use: a.b}}", "'nets' has no 'h'"),
        ("set: {netz.g.out: 3}", "no path begins with 'netz'"),
        ("set: {nets.f.use: backbones.vit}", "would leave the settings depth of the old part behind"),
        ("set: {flow.q.x: 1}", "'flow.q' has no 'x'"),
        ("set: {after_step.3: a}", "'after_step' has no '3'"),
        ("replace: {nets.h: {use: a.b}}", "'nets' has no 'h'"),
        ("replace: {nets.f.depth: 3}", "child.yaml:2:11: 'nets.f.depth' is not a node, and replace: takes whole nodes"),
        ("remove: [losses.info.temprature]", "child.yaml:2:10: 'losses.info' has no 'temprature'"),
        ("remove: [after_step.0]", "lists change as a whole"),
        ("remove: state.queue", "remove: takes a list of paths"),
        ("set: [a]", "set: takes a mapping of paths"),
    ],
)
def test_a_change_that_names_nothing_is_refused(text: str, said: str, shelf: Path) -> None:
    assert said in message(shelf, f"extends: moco\n{text}")


def test_all_changes_that_name_nothing_are_refused_at_once(shelf: Path) -> None:
    said = message(shelf, "extends: moco\nset: {nets.h.x: 1, state.q.size: 2}\nremove: [a.b]\nexprot: f")
    assert [line.split(":")[1] for line in said.splitlines() if line.startswith("child")] == ["2", "2", "3", "4"]


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "extends: mooc",
            "child.yaml:1:10: there is no method 'mooc'\n  there are: child, moco, program",
        ),
        ("extends: [moco, program]", "extends: takes the name of one method"),
        ("extends: child", "'child' extends this method in turn"),
        ("extends: no.yaml", "child.yaml:1:10: there is no file no.yaml"),
        ("method: A\nset: {export: f}", "set: changes a parent, and this method has none"),
    ],
)
def test_a_parent_is_one_method_that_is_there(text: str, said: str, shelf: Path) -> None:
    assert said in message(shelf, text)


def test_a_circle_of_parents_is_refused(shelf: Path) -> None:
    put(shelf, "methods/a", "extends: b")
    put(shelf, "methods/b", "extends: a")
    with pytest.raises(SpecError, match="'a' extends this method in turn"):
        load_method("a")


def test_a_parent_may_be_a_file_beside_the_child(shelf: Path) -> None:
    put(shelf, "own/base", "extends: moco\nset: {method: Base}")
    assert load_method(put(shelf, "own/child", "extends: base.yaml")).spec.method == "Base"


def test_every_value_keeps_the_place_where_it_is_written(shelf: Path) -> None:
    file = put(shelf, "methods/child", "extends: moco\nset: {nets.g.out: 64}\nnets: {h: {use: a.b}}")
    loaded = load_method(file)
    assert str(loaded.place(("nets", "g", "settings", "out"))) == f"{file}:2:19"
    assert str(loaded.place(("nets", "h"))) == f"{file}:3:11"
    assert str(loaded.place(("nets", "f", "use"))) == f"{shelf}/methods/moco.yaml:8:12"
