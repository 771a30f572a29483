"""The rules of the house, each a check that walks every file as text, and each shown to fail on a planted violation."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).parent.parent

# A room imports from rooms on floors below its own; a room on the same floor is a stranger. First the language,
FLOORS: tuple[set[str], ...] = (
    {"amounts", "errors", "escaping", "home", "ranges", "traits", "collectives", "torch_compat"},
    {"c_library", "files"},
    {"draws"},
    {"component", "schedules", "ranks"},
    {"parts"},
    {"read"},
    {"wire"},
    {"settle", "views", "lint", "diff"},
    {"compile", "drawing", "checked"},
    {"overlay"},
    {"method"},
    {"page"},
    {"__init__", "__main__"},  # the two doors
)
# then what runs: here too, and what neither has is above both.
RUNNING: tuple[set[str], ...] = (
    {"__init__", "storage", "new"},
    {"optimize", "weights"},
    {"check"},
    {"feed", "machine", "record", "motion"},
    {"measure"},
    {"train"},
    {"evaluate", "verify", "plan", "launch", "own_loop"},
    {"export"},
    {"look"},
    {"study"},
    {"stages", "search"},
    {"commands", "python"},
)
# What lies above the language, under the same import name.
ABOVE = ("components", "pipelines")
# Rooms of several files, which import each other relatively.
HOUSES = ("drawing", "lint", "diff", "overlay", "page")
FOR_COMPONENTS = {
    f"sslgraph.{word}"
    for word in (
        "component",
        "ranges",
        "draws",
        "amounts",
        "c_library",
        "collectives",
        "errors",
        "escaping",
        "home",
        "files.whole_file",
        "files.addresses",
    )
}
# The audited messages, and torch's own around nets whose weights are shared out.
TALKING = ("sslgraph/collectives.py", "sslgraph/ranks/sharding.py")
# The rooms of what torch and Ray do not promise; beside each stands a test that says what another version moved.
PRIVATE_ROOMS = ("sslgraph/torch_compat.py", "pipelines/launch/ray_compat.py")
UNPROMISED = ("torch.ops.aten", "ray.train.v2")
LONGEST = 250  # lines of a file
MOST = 15  # files of a room beside its door; a folder of components is a catalogue, where the path is a part's name
KINDS = ("texts", "runs")  # of commands, a folder each
# What a command runs may have the command's name.
RUN_BY_COMMANDS = {
    "check": "pipelines/check/check.py",
    "evaluate": "pipelines/evaluate/evaluate.py",
    "new": "pipelines/new/new.py",
    "plan": "pipelines/plan/plan.py",
    "replay": "pipelines/train/replay.py",
    "search": "pipelines/search/search.py",
    "show": "pipelines/look/show.py",
    "verify": "pipelines/verify/verify.py",
    "views": "sslgraph/views/views.py",
}


def modules(root: Path, *folders: str) -> Iterator[tuple[str, Path, ast.Module]]:
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            yield file.relative_to(root).as_posix(), file, ast.parse(file.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported anywhere in a file, with the number of leading dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, 0) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (
                (
                    f"{node.module}.{name.name}"
                    if node.module in ("sslgraph", "sslgraph.files", "torch", "components", "pipelines")
                    else node.module,
                    0,
                )
                for name in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level


def floor_of(room: str, floors: tuple[set[str], ...] = FLOORS) -> int | None:
    return next((number for number, floor in enumerate(floors) if room in floor), None)


def floors(root: Path) -> list[str]:
    """sslgraph imports only downwards."""
    faults = []
    for name, _, tree in modules(root, "sslgraph"):
        room = room_of(name)
        mine = floor_of(room)
        if mine is None:
            faults.append(f"{name} stands on no floor: give it one in tests/test_architecture.py")
            continue
        for module, level in imports(tree):
            package, _, other = module.partition(".")
            below = floor_of(other.split(".")[0]) if package == "sslgraph" and other else -1
            is_above = package == "sslgraph" and other.split(".")[0] in ABOVE
            if package in ABOVE or is_above:
                if room not in ("__main__", "__init__"):
                    faults.append(f"{name} imports {module}, which lies above the language")
            elif level and room not in HOUSES:
                faults.append(f"{name} imports relatively: the language is imported by its name")
            elif not level and room != other.split(".")[0] and (below is None or below >= mine):
                faults.append(f"{name} imports {module}, which is not on a floor below")
    return faults


def running(root: Path) -> list[str]:
    """pipelines import only downwards, too, and every file stands in a room."""
    files = {name: tree for name, _, tree in modules(root, "pipelines")}
    faults = []
    for name, tree in files.items():
        mine = floor_of(room_of(name), RUNNING)
        if mine is None:
            faults.append(f"{name} stands on no floor: give its room one in tests/test_architecture.py")
            continue
        for other in needed(name, tree, files):
            below = floor_of(room_of(other), RUNNING)
            if room_of(other) != room_of(name) and (below is None or below >= mine):
                faults.append(f"{name} imports {other}, which is not on a floor below")
    return faults


def room_of(name: str) -> str:
    """The folder below the package that a file stands in, or the file itself."""
    return name.split("/")[1].removesuffix(".py")


def strangers(root: Path) -> list[str]:
    """Components import a few words of sslgraph and neighbours; pipelines import sslgraph and neighbours."""
    faults = []
    for name, _, tree in modules(root, "components", "pipelines"):
        is_part = name.startswith("components/")
        depth = name.count("/") - is_part  # a part stays in its family, whose helpers may stand in rooms
        for module, level in imports(tree):
            package = module.split(".")[0]
            if {*ABOVE, "specs", "tests"} & {package, module.removeprefix("sslgraph.").split(".")[0]}:
                faults.append(f"{name} imports {module} absolutely: neighbours are imported relatively")
            elif (
                is_part
                and package == "sslgraph"
                and not any(module == word or module.startswith(f"{word}.") for word in FOR_COMPONENTS)
            ):
                faults.append(f"{name} imports {module}; a component knows only {', '.join(sorted(FOR_COMPONENTS))}")
            elif level > depth:
                faults.append(f"{name} imports from another folder")
    return faults


def collectives(root: Path) -> list[str]:
    """Only two files of sslgraph talk to other processes."""
    return [
        f"{name} imports {module}; call sslgraph.collectives"
        for name, _, tree in modules(root, "sslgraph", "components", "pipelines")
        if name not in TALKING
        for module, _ in imports(tree)
        if module.startswith("torch.distributed")
    ]


def ray(root: Path) -> list[str]:
    """Ray stands in one room."""
    return [
        f"{name} imports {module}; Ray stands in pipelines/launch/"
        for name, _, tree in modules(root, "sslgraph", "components", "pipelines")
        for module, _ in imports(tree)
        if module.split(".")[0] == "ray" and not name.startswith("pipelines/launch/")
    ]


def private(root: Path) -> list[str]:
    """Two rooms take what torch and Ray do not promise; no file reaches into another object."""
    return [
        f"{name} uses {word}; what is private to torch or Ray stands in {' and '.join(PRIVATE_ROOMS)}"
        for name, _, tree in modules(root, "sslgraph", "components", "pipelines")
        if name not in PRIVATE_ROOMS
        for word in reached(tree)
    ]


def reached(tree: ast.Module) -> Iterator[str]:
    """The private names of others that a file uses, and those public ones that no documentation promises."""
    for module, level in imports(tree):
        if not level and (is_private(module) or module.startswith(UNPROMISED)):
            yield module
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names if is_private(alias.name))
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)} | {"_replace", "_asdict"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            word, owner = ast.unparse(node), node.value
            is_mine = node.attr in own or (isinstance(owner, ast.Name) and owner.id in ("self", "cls"))
            if (is_private(node.attr) and not is_mine) or word in UNPROMISED:
                yield word


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def circles(root: Path) -> list[str]:
    """No file imports one that needs it, however far round, and be it for a type alone."""
    files = {name: tree for name, _, tree in modules(root, "sslgraph", "components", "pipelines")}
    needs = {name: set(needed(name, tree, files)) - {name} for name, tree in files.items()}
    graph = networkx.DiGraph([(name, other) for name, others in needs.items() for other in others])
    return [f"{', '.join(sorted(some))} import each other" for some in networkx.strongly_connected_components(graph)
            if len(some) > 1]  # fmt: skip


def needed(name: str, tree: ast.AST, files: Container[str]) -> Iterator[str]:
    """The files that the imports of a file stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = [*Path(name).parts[: -node.level], *(node.module or "").split(".")] if node.level else []
            start = [part for part in start or (node.module or "").split(".") if part]
            found = [[*start, alias.name] for alias in node.names]
        else:
            continue
        for parts_ in found:  # a word of a module, if it is no module itself
            places = [f"{'/'.join(some)}{end}" for some in (parts_, parts_[:-1]) for end in (".py", "/__init__.py")]
            yield from [place for place in places if place in files][:1]


def lengths(root: Path) -> list[str]:
    """Files are at most 250 lines long."""
    found = {
        name: len(file.read_text(encoding="utf-8").splitlines())
        for name, file, _ in modules(root, "sslgraph", "components", "pipelines")
    }
    return [f"{name} has {count} lines, and {LONGEST} is the most" for name, count in found.items() if count > LONGEST]


def rooms(root: Path) -> list[str]:
    """A room has at most 15 files."""
    files = [Path(name) for name, _, _ in modules(root, "sslgraph", "components", "pipelines")]
    rooms = [file.parent for file in files if file.stem != "__init__"]
    counts = Counter(room.as_posix() for room in rooms if room.parent.name != "components")
    cure = "give what belongs together a room of its own"
    return [
        f"{room} has {count} files, and {MOST} is the most; {cure}" for room, count in counts.items() if count > MOST
    ]


def names(root: Path) -> list[str]:
    """No file is named like a standard module, and none is a drawer for everything."""
    faults = []
    for name, file, _ in modules(root, "sslgraph", "components", "pipelines"):
        if file.stem in sys.stdlib_module_names:
            faults.append(f"{name} is named like the standard module {file.stem}")
        if file.stem in ("utils", "util", "helpers", "misc", "common", "base"):
            faults.append(f"{name} says nothing about what is in it")
    return faults


def namesakes(root: Path) -> list[str]:
    """No two files have one name, but a command and what it runs."""
    found: dict[str, set[str]] = {}
    for name, file, _ in modules(root, "sslgraph", "pipelines"):
        if file.stem != "__init__":
            found.setdefault(file.stem, set()).add(name)
    return [
        f"{' and '.join(sorted(files))} have one name; name each after its own idea"
        for stem, files in found.items()
        if len(files) > 1
        and not any(files == {f"pipelines/commands/{kind}/{stem}.py", RUN_BY_COMMANDS.get(stem)} for kind in KINDS)
    ]


def parts(root: Path) -> list[str]:
    """Every part has a source, a docstring, keyword-only settings with types, and ports with types."""
    faults = []
    for name, _, tree in modules(root, "components"):
        marked = [node for node in tree.body if isinstance(node, ast.ClassDef) and mark_of(node) is not None]
        if len(marked) > 1:
            faults.append(f"{name} marks {len(marked)} classes, and a name in a spec means one")
        if not ast.get_docstring(tree):
            faults.append(f"{name} has no first line that says what it means")
        for part in marked:
            # Steps of an augmentation stand in no graph: they pass frames and planes to each other.
            has_ports = "/augment/" not in name
            faults += [f"{name}: {part.name} {fault}" for fault in part_faults(part, has_ports=has_ports)]
    return faults


def is_open(rest: ast.arg | None) -> bool:
    """Whether any settings pass: `**rest`, but for those of a base class by their names, `**rest: Unpack[Settings]`."""
    return rest is not None and (rest.annotation is None or not ast.unparse(rest.annotation).startswith("Unpack["))


def part_faults(part: ast.ClassDef, *, has_ports: bool) -> Iterator[str]:
    mark = mark_of(part)
    source = next((k.value for k in mark.keywords if k.arg == "source"), None) if mark else None
    if not (isinstance(source, ast.Constant) and isinstance(source.value, str) and source.value.strip()):
        yield "has no source="
    if not ast.get_docstring(part):
        yield "has no docstring"
    for method in part.body:
        if not isinstance(method, ast.FunctionDef) or (method.name.startswith("_") and method.name != "__init__"):
            continue
        arguments = method.args.args[1:] + method.args.kwonlyargs
        if method.name == "__init__" and (
            len(method.args.args) > 1 or method.args.vararg or is_open(method.args.kwarg)
        ):
            yield "has settings that are not keyword-only"
        if any(argument.annotation is None for argument in arguments) or method.returns is None:
            yield f"leaves {method.name} without types"
        elif method.name == "forward" and has_ports and any(not is_port(argument) for argument in arguments):
            yield "has a port without axes"


def is_port(argument: ast.arg) -> bool:
    text = ast.unparse(argument.annotation) if argument.annotation else ""
    return text in ("Draw", "Draw | None") or "[Tensor, " in text


def mark_of(node: ast.ClassDef) -> ast.Call | None:
    return next(
        (
            d
            for d in node.decorator_list
            if isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.func.id == "component"
        ),
        None,
    )


def sentences(root: Path) -> list[str]:
    """No code decides by the words of a fault: rewording a message changes nothing but the message."""
    faults = []
    for name, _, tree in modules(root, "sslgraph", "components", "pipelines"):
        if name == "sslgraph/errors.py":
            continue
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot)
            tested = [node.left, *node.comparators] if isinstance(node, ast.Compare) and is_text else []
            tested += [node.func.value] if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else []
            if any(isinstance(some, ast.Attribute) and some.attr in ("problem", "cure") for some in tested):
                faults.append(f"{name}:{node.lineno} reads a fault's words; compare its `at`")
    return faults


def known_by_name(root: Path) -> list[str]:
    """No code of the language or the pipelines names a part, a family of parts or a method: parts say what they are.

    `wiring` alone is a word of the language: an expression calls a part of that folder without declaring it.
    """
    faults = []
    for name, _, tree in modules(root, "sslgraph", "pipelines"):
        documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
                found = BY_NAME.findall(CITATION.sub("", node.value))
                faults += [f"{name}:{node.lineno} knows {known} by name; ask for a trait instead" for known in found]
    return faults


PARTS = [".".join(file.with_suffix("").parts[-2:]) for file in (ROOT / "components").glob("*/*.py")]
FAMILIES = {part.partition(".")[0] for part in PARTS} - {"wiring"}
METHODS = [file.stem for file in (ROOT / "specs/methods").glob("*.yaml")]
BY_NAME = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, [*PARTS, *METHODS]), key=len, reverse=True))})\b"
    rf"|^(?:{'|'.join(sorted(FAMILIES))})\.$"
)
CITATION = re.compile(r"[\w-]+/[\w.-]+#\d+")  # a thread of a paper's own repository

CHECKS = [
    floors,
    running,
    strangers,
    collectives,
    ray,
    private,
    circles,
    lengths,
    rooms,
    names,
    namesakes,
    parts,
    sentences,
    known_by_name,
]
GOOD_PART = '''
"""Meaning."""
@component(source="paper")
class Part(nn.Module):
    """Formula."""
    def __init__(self, *, rate: float = 1.0) -> None: ...
    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]: ...
'''
VIOLATIONS: list[tuple[Callable[[Path], list[str]], str, str]] = [
    (floors, "sslgraph/errors.py", "from sslgraph.read.spec import Method"),
    (floors, "sslgraph/read/spec.py", "from sslgraph import registry"),
    (floors, "sslgraph/read/spec.py", "def late():\n    import sslgraph.compile.compile"),
    (floors, "sslgraph/read/spec.py", "from components.losses.dino import Dino"),
    (floors, "sslgraph/read/spec.py", "from sslgraph.components.losses.dino import Dino"),
    (floors, "sslgraph/read/spec.py", "def late():\n    from sslgraph import pipelines"),
    (floors, "sslgraph/read/spec.py", "from .errors import Fault"),
    (floors, "sslgraph/attic.py", ""),
    (strangers, "components/losses/one.py", "from sslgraph.read.spec import Method"),
    (strangers, "components/losses/one.py", "from sslgraph import registry"),
    (strangers, "components/sources/one.py", "from sslgraph.files import write_whole"),
    (strangers, "components/losses/one.py", "from ..heads.mlp import MLP"),
    (strangers, "components/sources/room/one.py", "from ...heads.mlp import MLP"),
    (strangers, "components/losses/one.py", "import components.heads.mlp"),
    (strangers, "pipelines/one.py", "from components.losses import dino"),
    (strangers, "pipelines/one.py", "from sslgraph.components.losses import dino"),
    (strangers, "components/losses/one.py", "from sslgraph.components.heads import mlp"),
    (strangers, "pipelines/one.py", "from pipelines.two import word"),
    (strangers, "pipelines/one.py", "from ..components.losses import dino"),
    (collectives, "components/losses/one.py", "import torch.distributed as dist"),
    (collectives, "components/losses/one.py", "from torch import distributed"),
    (collectives, "pipelines/one.py", "import torch.distributed as dist"),
    (ray, "pipelines/train/loop.py", "def late():\n    import ray.train"),
    (ray, "sslgraph/launch.py", "from ray import train"),
    (private, "sslgraph/ranks/batch_norm.py", "from torch.nn.modules.batchnorm import _BatchNorm"),
    (private, "sslgraph/ranks/batch_norm.py", "def late():\n    from torch._subclasses import FakeTensorMode"),
    (private, "sslgraph/compile/follow.py", "import torch\ntorch._foreach_add_([], [])"),
    (private, "components/augment/one.py", "import torch\nkernel = torch.ops.aten.add"),
    (private, "pipelines/launch/launch.py", "from ray.train.v2.api.exceptions import ControllerError"),
    (private, "pipelines/one.py", "def late(feed):\n    feed._made()"),
    (circles, "pipelines/one.py", "def late():\n    from .two import word\n"),
    (circles, "pipelines/one.py", "if TYPE_CHECKING:\n    from . import two\n"),
    (lengths, "sslgraph/long.py", "\n" * 251),
    (rooms, "pipelines/train/one.py", ""),
    (rooms, "components/sources/room/one.py", ""),
    (names, "components/memory/queue.py", ""),
    (names, "pipelines/utils.py", ""),
    (namesakes, "sslgraph/wire/train.py", ""),
    (namesakes, "pipelines/look/verify.py", ""),
    (sentences, "pipelines/one.py", "key = next(key for key in keys if f\"'{key}'\" in fault.problem)"),
    (sentences, "sslgraph/wire/declare.py", "first = fault.problem.split(';')[0]"),
    (known_by_name, "sslgraph/lint/rules.py", 'SPANNING = ("losses.nt_xent",)'),
    (known_by_name, "sslgraph/diff/ideas.py", 'is_queue = part.use == f"memory.fifo"'),
    (known_by_name, "sslgraph/diff/figure.py", 'if use.startswith("backbones."): ...'),
    (known_by_name, "sslgraph/parts/registry.py", 'cure = f"put augment.normalize behind {name}"'),
    (known_by_name, "pipelines/one.py", 'def late(): return load_method("simclr")'),
    (known_by_name, "pipelines/one.py", 'recipe = "demo/byol"'),
    (parts, "components/losses/one.py", GOOD_PART.replace('source="paper"', 'source=""')),
    (parts, "components/losses/one.py", GOOD_PART.replace('"""Formula."""', "")),
    (parts, "components/losses/one.py", GOOD_PART.replace('"""Meaning."""', "")),
    (parts, "components/losses/one.py", GOOD_PART.replace("*, ", "")),
    (parts, "components/losses/one.py", GOOD_PART.replace(": float", "")),
    (parts, "components/losses/one.py", GOOD_PART.replace('Float[Tensor, "batch dim"]', "Tensor")),
    (parts, "components/losses/one.py", GOOD_PART.replace(' -> Float[Tensor, ""]', "")),
    (parts, "components/losses/one.py", GOOD_PART + GOOD_PART.replace('"""Meaning."""', "")),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_keeps_its_rules(check: Callable[[Path], list[str]]) -> None:
    assert check(ROOT) == []


@pytest.mark.parametrize(("check", "file", "text"), VIOLATIONS)
def test_each_check_can_fail(check: Callable[[Path], list[str]], file: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    if check is circles:
        (path.parent / "two.py").write_text("from .one import word\n")
    if check is rooms:
        for number in range(MOST):
            (path.parent / f"file_{number}.py").write_text("")
    if check is namesakes:
        (tmp_path / "pipelines/commands/texts").mkdir(parents=True)
        (tmp_path / "pipelines/commands/texts" / path.name).write_text("")
    if check is running:  # what is imported is there
        for room in ("train", "record"):
            (tmp_path / "pipelines" / room).mkdir(parents=True)
            (tmp_path / "pipelines" / room / "two.py").write_text("word = 1\n")
    assert check(tmp_path) != []


def test_a_good_part_passes_every_check(tmp_path: Path) -> None:
    path = tmp_path / "components/losses/one.py"
    path.parent.mkdir(parents=True)
    path.write_text("from sslgraph.component import component\nfrom .two import word\n" + GOOD_PART)
    (tmp_path / "components/losses/one.py").write_text(
        GOOD_PART.replace(
            '"""Meaning."""', '"""Meaning."""\nfrom sslgraph.component import component\nfrom .two import word'
        )
    )
    assert [fault for check in CHECKS for fault in check(tmp_path)] == []


def test_the_readme_says_what_is_in_each_room() -> None:
    layout = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Project layout")[2]
    rows = [line.partition("` |")[0] for line in layout.splitlines() if line.startswith("| `")]
    told = {f"{row[3:].partition('/')[0]}/{room}" for row in rows for room in re.findall(r"\w+", row.partition("/")[2])}
    there = {
        "/".join(Path(name).parts[:2]) for name, _, _ in modules(ROOT, "sslgraph", "pipelines") if name.count("/") > 1
    }
    assert told == there


def test_git_ignores_no_file_of_the_packages() -> None:
    """What git ignores is neither committed nor in the wheel, and everything works here all the same."""
    files = [name for name, _, _ in modules(ROOT, "sslgraph", "components", "pipelines", "tests")]
    words = ["git", "-C", str(ROOT), "check-ignore", "--no-index", "--stdin"]
    done = subprocess.run(words, input="\n".join(files), capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout == "" and done.returncode in (1, 128), done.stdout  # 128: no checkout


def test_reading_comparing_and_linting_a_spec_imports_no_torch() -> None:
    program = (
        "import sys; from sslgraph.read import load, resolved, catalogue; from sslgraph import lint, diff; "
        "from sslgraph.wire import wire, refuse, gradients; "
        "print([m for m in ('torch', 'ray', 'numpy', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_no_two_test_files_have_one_name() -> None:
    """Tests lie in folders that are no packages, where pytest can't collect two modules of one name."""
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert not {name for name in names if names.count(name) > 1}
