"""Wrong words to every command end in one message and exit code 1 (2: usage), and leave the folder as it was."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from tiny_recipe import RECIPE

from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.commands.app import COMMANDS
from sslgraph.pipelines.launch.launch import launch

NO_RUN = "is no run folder: there is no"
NO_IMAGES = "has no images; it is empty"
NOT_THERE = "can't be written: no such file or directory; give another place with -o"
FOLDER = "can't be written: is a directory; give another place with -o"
DAMAGED = r"the checkpoint .* is damaged and can't be read"
# The words, and what is said; of usage (exit code 2) only the last line counts.
ONE: list[tuple[str, str]] = [
    ("show nothing", "there is no recipe or method 'nothing'"),
    ("show losses.info_nc", "did you mean 'losses.info_nce'"),
    ("show empty", "there is no recipe or method 'empty'"),
    ("show binary.yaml", "the file is binary, not text"),
    ("show open.yaml", "this is not YAML"),
    ("explain SG999", "SG999"),
    ("explain simclr", "add the path of a value"),
    ("explain simclr losses.nothing.temperature", "nothing"),
    ("check --fast nothing", "there is no recipe or method 'nothing'"),
    ("check --fast simclr --set", "requires an argument"),
    ("check --fast simclr --set batch", "write a path, an equals sign and a value"),
    ("check --fast simclr --shapes", "--fast stops before shapes are known"),
    ("train", "name a method, a recipe or a file"),
    ("train nothing", "there is no recipe or method 'nothing'"),
    ("train simclr byol", "unexpected extra argument"),
    ("train tiny.yaml --data nowhere --out r", "nowhere does not exist"),
    ("train tiny.yaml --data empty --out r", NO_IMAGES),
    ("train tiny.yaml --lr -1 --out r", "must be a number of at least 0"),
    ("train tiny.yaml --lr nan --out r", "optimizer.lr"),
    ("train tiny.yaml --workers 0 --out r", "--workers 0 would train nothing"),
    ("train tiny.yaml --workers 9999 --out r", "9999 workers need"),
    ("train tiny.yaml --workers 2 --address nowhere --out r", "is no address of a Ray cluster"),
    ("train tiny.yaml --out text.txt", "can't be written"),
    ("train --resume nowhere", "there is no run in that folder"),
    ("train --resume empty", "there is no run in that folder"),
    ("train --resume run --out other", "continues in its own folder"),
    ("train --resume run --set batch=2", "holds another run: batch was"),
    ("train --resume cut", DAMAGED),
    ("train tiny.yaml --out run --set seed=9", "holds another run"),
    ("evaluate nowhere", NO_RUN),
    ("evaluate empty", NO_RUN),
    ("evaluate text.txt", NO_RUN),
    ("evaluate cut", DAMAGED),
    ("evaluate unsaved", "holds no complete checkpoint yet"),
    ("evaluate run run", "name each run once"),
    ("evaluate run --protocol liner", "did you mean linear?"),
    ("evaluate run --protocol linear_online", "the run has trained no classifier beside its method"),
    ("evaluate run --data nowhere", "nowhere does not exist"),
    ("evaluate run --workers 0", "--workers 0 would do nothing"),
    ("evaluate run --size 0", "--size"),
    ("evaluate run --supervised --supervised-weights x.pt", "give one of them"),
    ("evaluate run --supervised-weights x.pt", "--supervised-weights x.pt: there is no file or run folder"),
    ("evaluate run --segmentation empty", "has no images with label maps"),
    ("embed run", "Missing option '-o'"),
    ("embed run -o x.csv", "features are written as .parquet or .safetensors"),
    ("embed run -o no/x.parquet", NOT_THERE),
    ("embed run -o full", FOLDER),
    ("embed run -o x.parquet --split val", "--split"),
    ("embed empty -o x.parquet", NO_RUN),
    ("embed run --data empty -o x.parquet", NO_IMAGES),
    ("export run --to tensorflow", "and not to tensorflow"),
    ("export run -o full", "directory not empty"),
    ("export run -o text.txt", "can't be written: not a directory"),
    ("export empty", NO_RUN),
    ("export cut", DAMAGED),
    ("neighbours run --data photos --of nowhere.jpg", "does not exist"),
    ("neighbours run --data photos --of photos", "name one image"),
    ("neighbours run --data photos -o near.jpg", "the picture is a PNG"),
    ("neighbours run --data photos --above 2", "--above"),
    ("report nowhere", NO_RUN),
    ("report run -o full", "a report is written as .html"),
    ("report run -o no/x.html", NOT_THERE),
    ("report run --images 3", "look at 20 or more"),
    ("replay run", "holds no step to replay"),
    ("run nothing", "there is no pipeline 'nothing'"),
    ("run simclr_v2 --only nothing", "--only: there is no stage 'nothing'"),
    ("run simclr_v2 --set nothing.batch=3 --dry", "there is no stage 'nothing'"),
    ("status nothing", "there is no pipeline 'nothing'"),
    ("search tiny.yaml --space nowhere.yaml", "there is no such file"),
    ("search tiny.yaml --space empty", "this is a folder"),
    ("search tiny.yaml --space open.yaml --trials 0", "--trials 0 would run nothing"),
    ("plan simclr --gpus 0", "--gpus 0 plans nothing"),
    ("plan simclr --memory much", "is no amount of memory"),
    ("plan simclr --strategy zero", "there are ddp, fsdp"),
    ("data nowhere", "does not exist"),
    ("data empty", NO_IMAGES),
    ("data photos --prepare full", "something is there already"),
    ("data photos --prepare small --form gif", "--form gif is not known"),
    ("data photos --prepare small --side 0", "--side 0 leaves nothing to see"),
    ("data photos --masks masks", "has no videos"),
    ("draw nothing", "there is no recipe or method 'nothing'"),
    ("draw simclr -o x.bmp", "a picture can't be written in this format"),
    ("draw simclr -o no/x.svg", NOT_THERE),
    ("draw simclr --width 3 -o x.svg", "write a length with its unit"),
    ("draw simclr --text -o x.svg", "give one of them"),
    ("diff simclr", "Missing argument"),
    ("diff simclr nothing", "there is no method 'nothing'"),
    ("diff simclr byol -o x.bmp", "a comparison can't be written in this format"),
    ("page nothing.yaml", "there is no such file"),
    ("page -o text.txt", "can't be a folder: a file is there"),
    ("page -o text.txt/below", "can't be written: not a directory; give another place with -o"),
    ("page -o new/folder nothing.yaml", "there is no such file"),
    ("views tiny.yaml --images 0", "ask for 1 or more"),
    ("views tiny.yaml -o x.bmp", "a sheet is written as .png or .html"),
    ("views tiny.yaml --epoch -1", "--epoch"),
    ("verify nothing", "there is no recipe or method 'nothing'"),
    ("verify tiny.yaml --ranks two", "--ranks two: write numbers of processes"),
    ("verify tiny.yaml --batch 3 --ranks 1,2", "can't share a batch of 3 evenly"),
    ("submit simclr", "--out is missing"),
    ("init nothing", "there is no method 'nothing'"),
    ("init simclr -o no/x.yaml", NOT_THERE),
    ("init simclr -o text.txt", "a recipe's file ends in .yaml"),
    ("new part full", "write a Python file in small letters"),
    ("new part no/a.py", "there is no folder no; make it first"),
    ("schema -o full", FOLDER),
    ("schema -o no/x.json", NOT_THERE),
    ("list partz", "partz"),
]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, the same run in several states, photographs, and what is none of these."""
    here = tmp_path_factory.mktemp("here")
    (here / "tiny.yaml").write_text(RECIPE)
    launch(request(str(here / "tiny.yaml"), out=str(here / "run")))
    for name in ("cut", "unsaved"):
        shutil.copytree(here / "run", here / name)
    shutil.rmtree(here / "unsaved/checkpoints")
    (newest,) = sorted((here / "cut/checkpoints").iterdir())[-1:]
    for file in newest.glob("*.pt"):
        file.write_bytes(file.read_bytes()[:100])
    for name in ("empty", "full", "photos"):
        (here / name).mkdir()
    for i in range(12):
        Image.new("RGB", (20, 16), (20 * i, 0, 99)).save(here / f"photos/{i}.png")
    (here / "full/kept.txt").write_text("kept")
    (here / "text.txt").write_text("hello\n")
    (here / "binary.yaml").write_bytes(bytes(range(256)))
    (here / "open.yaml").write_text("method: m\nviews: {x: {augment: simclr}\n")
    return here


def state(folder: Path) -> dict[str, bytes | None]:
    """Every file with its content, every folder; but the lock by which a run is held."""
    there = sorted(path for path in folder.rglob("*") if path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in there}


@pytest.mark.parametrize(("words", "said"), ONE, ids=[words for words, _ in ONE])
def test_wrong_words_are_one_message_and_nothing_is_left(
    words: str, said: str, begun: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(begun)
    before = state(begun)
    found = sslgraph(*words.split())
    lines = found.err.strip().splitlines()
    assert found.code in (1, 2), found
    assert "Traceback" not in found.err and found.out == "", found
    assert re.search(said, " ".join(lines if found.code == 1 else lines[-1:])), found.err
    assert found.code == 2 or len(lines) <= 3, found.err
    assert state(begun) == before


def test_every_command_is_tried() -> None:
    tried = {words.split()[0] for words, _ in ONE}
    assert {command.__name__ for command in COMMANDS} - tried == set() and len(ONE) > 100
