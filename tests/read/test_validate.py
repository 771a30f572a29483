"""From text to model: every fault at its place, in plain words, all at once."""

from pathlib import Path

import pytest

from sslgraph.errors import Fault, SslgraphError
from sslgraph.read.document import read_text
from sslgraph.read.load import load_recipe
from sslgraph.read.spec import Method
from sslgraph.read.validate import validated

GOOD = "method: A\nviews: {x: {augment: a}}\nnets: {f: {use: a.b}}\nexport: f\n"


def faults(text: str) -> list[str]:
    found: list[Fault] = []
    assert validated(Method, read_text(text, Path("a.yaml")).root, found) is None
    return [str(fault) for fault in found]


def test_a_good_text_gives_a_model_and_no_fault() -> None:
    found: list[Fault] = []
    method = validated(Method, read_text(GOOD, Path("a.yaml")).root, found)
    assert method is not None
    assert (method.export, found) == ("f", [])


@pytest.mark.parametrize(
    "line, said",
    [
        (
            "targtes: {}",
            "a.yaml:5:1: the text has the unknown key 'targtes'\n  there are: after_step, ",
        ),
        ("targtes: {}", "did you mean 'targets'?"),
        (
            "plugins: [mine]",
            "a.yaml:5:1: the text is a method and has the key 'plugins', which is a recipe's\n"
            "  name the module on the command line: --plugin",
        ),
        ("batch: 8", "the text is a method and has the key 'batch', which is a recipe's\n  write it in a recipe"),
        (
            "state: {q: memory.fifo}",
            "a.yaml:5:12: state.q must be a mapping, such as {use: ...}, not the text 'memory.fifo'",
        ),
        ("state:", "a.yaml:5:7: state must be a mapping of names to values, not empty"),
        ("state: {q: {size: 3}}", "a.yaml:5:12: state.q has no use:\n  name a part of the catalogue"),
        ("state: {q: {use:memory.fifo, size: 3}}", "q has no use:\n  a blank is missing: write use: memory.fifo"),
        ("after_step: q.push(z)", "after_step must be a list, not the text 'q.push(z)'\n  write [q.push(z)]"),
        ("state: {q: {use: 3}}", "state.q.use must be text, not the number 3\n  put it in quotes if it is text"),
        ("state: {q: {use: a, mode: fast}}", "state.q.mode must be one of 'train' or 'eval', not the text 'fast'"),
        (
            "state: {q: {use: a, settings: {b: 1}}}",
            "write settings beside use: and the other keys, not under settings:",
        ),
        ("state: {q: {use: a, freeze: soon}}", "state.q.freeze: 'soon' is not a length of time"),
        ("targets: {t: {ema_of: f}}", "targets.t has no momentum:\n  write a number or a schedule"),
        (
            "targets: {t: {ema_of: f, momentum: x}}",
            "a.yaml:5:36: targets.t.momentum must be a number from 0 to 1 or a schedule, not the text 'x'",
        ),
        (
            "targets: {t: {snapshot_of: f}}",
            "a.yaml:5:14: targets.t says neither every: nor from:, so it would never be taken; write every: 10000",
        ),
        (
            "targets: {t: {snapshot_of: f, every: 0 steps}}",
            "a.yaml:5:38: targets.t.every must be longer than '0 steps'",
        ),
        ("targets: {t: {snapshot_of: f, from: 1 epoch, at_most: 0}}", "targets.t.at_most must be 1 or more"),
        (
            "targets: {t: {snapshot_of: f, from: 1 epoch, at_most: 2}}",
            "targets.t: at_most: 2 needs every:, the time between two of them",
        ),
        ("after_step: queue.push(k)", "after_step must be a list, not the text 'queue.push(k)'"),
        ("after_step: [1]", "a.yaml:5:14: after_step.0 must be text, not the number 1"),
        ("flow: {z: [a]}", "flow.z must be text, not a list"),
        ("paper: {title: t, year: 2020.5}", "paper.year must be a whole number, not the number 2020.5"),
        ("paper: {title: t, yaer: 2020}", "paper has the unknown key 'yaer'"),
        ("phases: [{name: a, losses: {l: {of: [x]}}}]", "a.yaml:5:32: phases.0.losses.l has no use:"),
        ("phases: [{name: a, tehn: []}]", "did you mean 'then'?"),
    ],
)
def test_a_fault_is_said_in_plain_words_where_it_stands(line: str, said: str) -> None:
    assert said in "\n".join(faults(GOOD + line))


def test_a_copy_too_few_is_said_with_the_bound() -> None:
    assert faults(GOOD.replace("augment: a", "augment: a, copies: 0")) == [
        "a.yaml:2:33: views.x.copies must be 1 or more, not 0"
    ]


def test_missing_sections_come_with_what_to_write() -> None:
    said = "\n".join(faults("method: A"))
    for section in ("views: {x: {augment: NAME}}", "nets: {f: {use: FAMILY.NAME}}", "export: f"):
        assert section in said


def test_all_faults_come_at_once() -> None:
    assert len(faults(GOOD + "a: 1\nb: 2\nops: 3\nlosses: {l: {use: 1, weight: 1 x}}")) == 5


def test_whether_a_step_is_compiled_is_said_in_yamls_words() -> None:
    with pytest.raises(SslgraphError, match=r"compile must be one of true, false or 'graphs', not the text 'graph'"):
        load_recipe("cifar10/simclr", {"compile": "graph"})
    assert load_recipe("cifar10/simclr", {"compile": "graphs"}).spec.compile == "graphs"
