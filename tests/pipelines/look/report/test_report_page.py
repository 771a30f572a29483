"""The page of a real run: what stands in it, that it asks for nothing, and what it says of what is not there."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from report_run import rewrite, trained

from sslgraph.pipelines.look.report import write_report

NAMESPACE = "http://www.w3.org/2000/svg"
VOID = {"img", "br", "meta", "hr"}


class Page(HTMLParser):
    """A page read as a browser would: its elements with their attributes, its texts by the element around them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, *tags: str) -> list[str]:
        """The texts directly inside elements of these tags."""
        return [text for tag, text in self.texts if tag in tags]

    @property
    def text(self) -> str:
        """All that a reader reads."""
        return " ".join(text for tag, text in self.texts if tag != "style")


def page_of(*runs: Path, out: Path, most: int = 40) -> Page:
    return Page(write_report(runs, out, most=most).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(the_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(the_run, out=tmp_path_factory.mktemp("page") / "report.html")


def test_the_page_has_all_that_a_run_is_asked_about(page: Page, the_run: Path) -> None:
    assert page.all("h1") == ["SimCLR"]
    sections = [
        "Method",
        "Learning",
        "Does it collapse?",
        "Figures",
        "Optimizer and pace",
        "Views",
        "Nearest neighbours",
        "Places",
    ]
    assert page.all("h2") == [*sections, "Map of held-out images", "Spec"]
    facts = dict(zip(page.all("dt"), page.all("dd"), strict=True))
    assert facts["recipe"] == "SimCLR, demo" and facts["length"] == "12 steps of 2 epochs" and facts["batch"] == "16"
    assert facts["images"] == "sources.patterns, 96 images" and facts["folder"] == str(the_run)
    assert (
        facts["versions"].startswith("sslgraph 0.1") and "torch 2." in facts["versions"] and "float" in facts["device"]
    )
    charts = {"loss contrast", "kNN accuracy on held-out images", "learning rate", "gradient norm", "images a second"}
    assert charts <= set(page.all("strong"))
    assert {"trained, PCA", "trained, t-SNE", "before training, PCA", "before training, t-SNE"} <= set(
        page.all("strong")
    )
    assert any(text.startswith("chance and collapsed 3.43") for text in page.all("text"))  # log 31
    assert "method: SimCLR" in "".join(page.all("pre")) and "z_views = z.unflatten" in "".join(page.all("pre"))


def test_figures_are_those_that_the_run_recorded(page: Page, the_run: Path) -> None:
    lines = [json.loads(line) for line in (the_run / "metrics.jsonl").read_text().splitlines()]
    last = [line["knn"] for line in lines if "knn" in line][-1]
    heads = page.all("th")
    assert heads[heads.index("trained") :][:3] == ["trained", "random encoder", "pixels"]
    assert f"{last:.1%}" in page.all("td") and f"{lines[0]['knn_pixels']:.1%}" in page.all("td")
    assert f"{last:.1%} of held-out images have the class" in page.text
    assert "Without training: random encoder" in page.text


def test_the_page_loads_nothing(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "a", "base"}, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href", "action", "srcset", "poster", "data"}:
                assert value.startswith("data:image/"), (tag, name, value[:60])
            assert "url(" not in value or "url(#" in value, (tag, name)
    styles = "".join(page.all("style"))
    assert "url(" not in styles and "@import" not in styles
    addresses = {value for _, attributes in page.elements for value in attributes.values() if "://" in value}
    assert addresses <= {NAMESPACE}
    assert "default-src 'none'" in next(a["content"] for t, a in page.elements if a.get("http-equiv"))


def test_every_picture_has_words_and_every_id_is_one(page: Page) -> None:
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(images) == 3 * (1 + 2) + 10 * (1 + 6) + 5 * 3 and all(image["alt"] for image in images)
    assert "x 1 of image 0, " in images[1]["alt"] and "crop" in images[1]["alt"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [attributes["lang"] for tag, attributes in page.elements if tag == "html"] == ["en"]


def test_the_same_run_gives_the_same_bytes(the_run: Path, tmp_path: Path) -> None:
    first = write_report([the_run], tmp_path / "one.html", most=40).read_bytes()
    assert write_report([the_run], tmp_path / "two.html", most=40).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_what_a_spec_says_is_text(a_run: Path, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    text = (a_run / "resolved.yaml").read_text()
    text = text.replace("method: SimCLR", f"method: '{evil}'").replace("recipe: SimCLR, demo", f"recipe: '{evil}'")
    rewrite(a_run, text)
    (a_run / "starts.jsonl").write_text(json.dumps({"host": evil, "commit": '" onload="x'}) + "\n")
    with (a_run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 1, f"monitor/{evil}/std": 0.5}) + "\n")
    summary = json.loads((a_run / "summary.json").read_text())
    (a_run / "summary.json").write_text(json.dumps({**summary, "diagnosis": [f"f.x1: {evil}"]}))
    moved = a_run.rename(a_run.with_name("<b> & co"))
    page = page_of(moved, out=tmp_path / "report.html")
    assert page.all("h1") == [evil] and "script" not in {tag for tag, _ in page.elements}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert any(evil in text for text in page.all("td", "dd", "th"))
    assert "Does it collapse?" in page.all("h2") and f"f.x1: {evil}" in page.all("li")
    assert "spread of directions: std, times the root of the width" in page.all("strong")
    assert {"all images alike 0", "even 1"} <= set(page.all("text"))


def test_a_run_whose_images_are_gone_has_a_page_that_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for i in range(24):
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.effect_noise((32, 32), 5 * i + 10).convert("RGB").save(folder / "ab"[i % 2] / f"{i}.png")
    data = {"use": "sources.image_folder", "path": str(folder)}
    run = trained(tmp_path / "run", batch=8, epochs=1, evaluate={}, **{"data": data, "data.images": None})
    there = page_of(run, out=tmp_path / "there.html", most=20)
    assert "Nearest neighbours" in there.all("h2") and "chance" in there.all("th")  # computed for the page
    elsewhere = folder.rename(tmp_path / "elsewhere")
    told = list[str]()
    gone = Page(write_report([run], tmp_path / "gone.html", most=40, say=told.append).read_text(encoding="utf-8"))
    assert [line.partition(" does not exist")[0] for line in told] == [f"run: images not shown: {folder}"]
    assert "loss contrast" in gone.all("strong") and "Method" in gone.all("h2")
    (why,) = {text for text in gone.all("p") if "can't be shown" in text}
    cure = "give the folder of the images, one file, or an address such as s3://"
    assert why == f"The views can't be shown: {folder} does not exist; {cure}."
    assert "img" not in {tag for tag, _ in gone.elements}
    assert "No accuracy was measured: the images have no labels, or are not there." in gone.text
    moved = Page(write_report([run], tmp_path / "moved.html", data=str(elsewhere), most=20).read_text(encoding="utf-8"))
    assert moved.all("h2") == there.all("h2")
    assert any(str(elsewhere) in text for text in moved.all("p"))


def test_images_without_labels_have_neighbours_and_a_map_without_classes(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(30):
        Image.effect_noise((36, 32 + i), 5 * i + 10).convert("RGB").save(folder / f"photo_taken_{i:02}.png")
    data = {"use": "sources.image_folder", "path": str(folder)}
    run = trained(tmp_path / "run", batch=8, epochs=1, **{"data": data, "data.images": None})
    page = page_of(run, out=tmp_path / "report.html", most=20)
    assert "The images have no labels, so neighbours and map are shown without classes." in page.all("p")
    names = [text for text in page.all("span") if text.startswith("photo_taken_")]
    titles = [had["title"] for tag, had in page.elements if tag == "figure" and "photo_taken_" in had.get("title", "")]
    assert len(names) == 3 * 7 and titles[0] == f"photo_taken_{names[0][-2:]}.png"  # each asked about with its nearest
    assert "legend" not in {attributes.get("class") for tag, attributes in page.elements if tag == "p"}
    assert not {"same", "other"} & {attributes.get("class") for tag, attributes in page.elements if tag == "figure"}


def test_a_run_that_watched_itself_and_found_nothing_says_what_it_watched(a_run: Path, tmp_path: Path) -> None:
    with (a_run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 12, "monitor/f.x/std": 0.9, "monitor/f.x/rank": 7.5}) + "\n")
    summary = json.loads((a_run / "summary.json").read_text())
    (a_run / "summary.json").write_text(json.dumps({**summary, "diagnosis": []}))
    page = page_of(a_run, out=tmp_path / "report.html")
    assert "The edges that were watched showed no collapse at the end." in page.all("p")
    assert "effective rank" in page.all("strong") and {"all images alike 0", "even 1"} <= set(page.all("text"))


def test_a_run_that_is_not_over_has_a_page(a_run: Path, tmp_path: Path) -> None:
    shutil.rmtree(a_run / "checkpoints")
    (a_run / "summary.json").unlink()
    page = page_of(a_run, out=tmp_path / "report.html")
    assert "12 steps of 2 epochs; the run is not over" in page.all("dd")
    assert "Images can't be encoded: the run has saved no checkpoint yet." in page.all("p")
    (a_run / "metrics.jsonl").unlink()
    assert "This run recorded nothing yet." in page_of(a_run, out=tmp_path / "report.html").all("p")


def test_what_a_loss_means_is_shown_times_the_weight_with_which_it_is_recorded(a_run: Path, tmp_path: Path) -> None:
    text = (a_run / "resolved.yaml").read_text()
    rewrite(a_run, text.replace("temperature: 0.2", "temperature: 0.2, weight: 0.5"))
    page = page_of(a_run, out=tmp_path / "report.html")
    assert any(text.startswith("chance and collapsed 1.71") for text in page.all("text"))  # log 31, halved
    moving = "temperature: 0.2, weight: {linear: [0.5, 1]}"
    rewrite(a_run, text.replace("temperature: 0.2", moving))
    assert not [text for text in page_of(a_run, out=tmp_path / "report.html").all("text") if "chance" in text]


def test_several_runs_stand_beside_each_other(the_run: Path, a_run: Path, tmp_path: Path) -> None:
    other = a_run.rename(a_run.with_name("demo-other-0"))
    text = (other / "resolved.yaml").read_text()
    text = text.replace("temperature: 0.2", "temperature: 0.5").replace("weight_decay: 0.0001", "weight_decay: 0.01")
    rewrite(other, text)
    page = page_of(the_run, other, out=tmp_path / "report.html")
    assert page.all("h1") == ["SimCLR"] and page.all("summary").count("What ran, where and when") == 1
    assert {"simclr", "other"} <= set(page.all("strong")) and page.all("h3").count("Nearest neighbours") == 2
    assert "≠ loss contrast: temperature 0.2 -> 0.5" in "".join(page.all("pre"))
    text = (tmp_path / "report.html").read_text()
    rows = re.findall(r"<th scope=\"row\">([\w.]+)</th><td>(.*?)</td><td>(.*?)</td>", text.partition("What differs")[2])
    assert rows == [("optimizer.weight_decay", "0.0001", "0.01")]
    curves = [text for tag, text in page.texts if tag == "title" and text in ("simclr", "other")]
    assert curves.count("simclr") == curves.count("other") >= 4


def test_runs_that_differ_in_their_seed_alone_have_a_row_of_mean_and_spread(
    the_run: Path, a_run: Path, tmp_path: Path
) -> None:
    other = a_run.rename(a_run.with_name("demo-other-1"))
    rewrite(other, f"seed: 1\n{(other / 'resolved.yaml').read_text()}".replace("seed: 0\n", ""))
    for run, accuracy in ((the_run, 0.4), (other, 0.6)):
        values = {"knn20": {"accuracy": accuracy, "chance": 0.1}}
        (run / "evaluation.json").write_text(json.dumps({"step": 12, "bank": 9, "queries": 9, "trained": values}))
    page = page_of(the_run, other, out=tmp_path / "report.html")
    (the_run / "evaluation.json").unlink()
    assert "mean ± standard deviation of simclr-0, other-1" in page.all("th")
    assert [cell for cell in page.all("td") if "±" in cell] == ["50.0 ± 14.1 %", "10.0 ± 0.0 %"]
    assert "knn20 accuracy, trained" in page.all("th")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gone",), "gone is no run folder: there is no such folder; give the folder that train printed"),
        ((".",), "is no run folder: there is no resolved.yaml in it"),
        (("RUN", "-o", "nowhere/report.html"), "nowhere/report.html can't be written: no such file or directory"),
        (("RUN", "-o", "report.pdf"), "-o report.pdf: a report is written as .html; end the name so"),
        (("RUN", "-o", "folder.html"), "folder.html can't be written: is a directory"),
        (("RUN", "--images", "3"), "look at 20 or more"),
    ],
)
def test_what_can_not_be_is_said_in_one_message(
    sslgraph: Command,
    the_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    before = sorted(path.name for path in the_run.iterdir())
    said = sslgraph("report", *(str(the_run) if word == "RUN" else word for word in words))
    assert said.code == 1 and message in said.err and said.err.count("\n") <= 3 and "Traceback" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]
    assert sorted(path.name for path in the_run.iterdir()) == before


def test_a_page_lands_in_the_folder_of_its_run_unless_it_is_said_otherwise(sslgraph: Command, a_run: Path) -> None:
    said = sslgraph("report", str(a_run), "--images", "20")
    assert (said.code, said.out) == (0, f"{a_run / 'report.html'}\n") and (a_run / "report.html").is_file()
