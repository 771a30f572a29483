"""Show: the program of every leg, the gradient map, shapes, and a resolved text that reads back as the same thing."""

from __future__ import annotations

from pathlib import Path

from sslgraph.pipelines.check import check
from sslgraph.pipelines.look import show
from sslgraph.read.load import load_method, load_recipe


def test_a_program_of_one_leg_has_no_heading_and_one_of_several_names_each() -> None:
    assert show.code("demo/simclr", (), {}).startswith("def forward(self, x):")
    several = show.code("demo/deepcluster", (), {})
    assert [line for line in several.splitlines() if line.startswith("#")] == [
        "# cluster",
        "# cluster, then",
        "# train",
    ]
    assert "target = self.labels(x_index)" in several


def test_what_is_written_after_the_step_stands_among_the_programs_outputs() -> None:
    assert show.code("demo/moco_v2", (), {}).splitlines()[-1] == "    return {'info': info, 'k': k}"


def test_a_program_shows_what_was_set() -> None:
    assert "unflatten(0, (5, -1))" in show.code("demo/dino", (), {"views.local_crops.copies": 3})


def test_the_page_of_a_recipe_is_the_recipes_text() -> None:
    assert show.page("demo/simclr", (), {}).startswith(check.method_file("demo/simclr").read_text().rstrip())


def test_a_resolved_method_reads_back_as_the_same_method(tmp_path: Path) -> None:
    file = tmp_path / "resolved.yaml"
    file.write_text(show.resolved_text("moco_v1", {"nets.f.depth": 18}))
    assert load_method(file).spec == load_method("moco_v1", overrides={"nets.f.depth": 18}).spec


def test_a_resolved_recipe_reads_back_as_the_same_recipe_and_method(tmp_path: Path) -> None:
    file = tmp_path / "resolved.yaml"
    file.write_text(show.resolved_text("cifar10/dino", {"batch": 64}))
    one, other = load_recipe(file), load_recipe("cifar10/dino", {"batch": 64})
    assert one.spec.method == other.spec.method
    assert (one.spec.batch, one.spec.optimizer, one.spec.epochs) == (
        64,
        other.spec.optimizer,
        other.spec.epochs,
    )


def test_shapes_stand_beside_values_one_for_each_resolution() -> None:
    sized = check.examine("demo/dino", overrides={"batch": 8, "views.local_crops.copies": 3}).sized
    assert sized is not None
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in show.shape_table(sized).splitlines()}
    assert lines["x1"] == "8x3x32x32" and lines["dino"] == "scalar"
    assert any(shapes == "16x3x32x32, 24x3x16x16" for shapes in lines.values())
