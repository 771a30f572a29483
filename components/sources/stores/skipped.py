"""What lies at a path and is not read: counted by what it is and why, with one example of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from sslgraph.amounts import counted
from sslgraph.escaping import on_one_line

from ..decode.heif import ENDINGS, LACKS

# Folders that programs leave behind, besides those whose names begin with a dot.
LEFT_BEHIND = (
    "__macosx", "@eadir", "__pycache__", "$recycle.bin", "#recycle", "recycler", "lost+found", "lost.dir",
    "system volume information",
)  # fmt: skip

NOT_READ = "not an image that is read"
# What other files may be good for, by their endings.
CURES = {
    **dict.fromkeys((".csv", ".tsv", ".jsonl"), "not an image; if it names images, give it as the path"),
    **dict.fromkeys((".zip", ".tar.gz", ".tgz", ".7z", ".rar"), "packed: unpack it, or give a .zip file as the path"),
    **dict.fromkeys(
        (".npy", ".npz", ".mat"),
        "an array; one of many images may be the path, single ones are read as PNG",
    ),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "a spreadsheet: save it as .csv, and give that as the path"),
    **dict.fromkeys((".h5", ".hdf5"), "an array of numbers: save its images as .npz, PNG or TIFF"),
    **dict.fromkeys((".pt", ".pth", ".pkl", ".pickle"), "pickled, which is not opened: save its images as PNG"),
    **dict.fromkeys(
        (".tfrecord", ".tfrecords", ".mdb", ".beton", ".rec"), "not read: write its images as tar or parquet"
    ),
    "-ubyte": "an IDX file, read where torchvision lays it: MNIST/raw/train-images-idx3-ubyte",
    "-ubyte.gz": "an IDX file, packed: unpack it to MNIST/raw, as torchvision does",
    **dict.fromkeys((".dcm", ".nii", ".nii.gz", ".mha", ".nrrd"), "a medical image: save its planes as 16-bit TIFF"),
    **dict.fromkeys((".svs", ".ndpi", ".mrxs", ".czi", ".nd2", ".lif"), "a slide: cut it into tiles of PNG or TIFF"),
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"), "a camera's raw data: convert it"
    ),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"), "a video: sources.video reads it"),
    **dict.fromkeys((".svg", ".pdf", ".eps"), "drawn by lines: render it as PNG"),
    ".gz": "packed: unpack it",
    **dict.fromkeys((".jxl", ".exr", ".hdr", ".psd", ".fits"), "no image that is read: convert it to PNG or TIFF"),
}


def is_hidden(path: str) -> bool:
    """Whether a part of a path below a folder is hidden, or was left there by a program."""
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return any(part.startswith(".") or part.lower() in LEFT_BEHIND for part in parts)


@dataclass
class Skipped:
    """Counts of things, each under what it is ("link") and why it is left out ("its target is missing")."""

    found: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def note(self, what: str, why: str, example: str, count: int = 1) -> None:
        """One more, or several."""
        before, first = self.found.get((what, why), (0, example))
        self.found[what, why] = (before + count, first)

    def ending(self, name: str, why: str = NOT_READ, count: int = 1) -> None:
        """A file that is left out for its ending."""
        if name.lower().endswith(ENDINGS):
            why = LACKS
        why = next((cure for ending, cure in CURES.items() if name.lower().endswith(ending)), why)
        last = name.rpartition("/")[2]
        stem, _, ending = last.rpartition(".")
        self.note(f".{ending.lower()} file" if stem else "extensionless file", why, name, count)

    def add(self, others: Skipped) -> None:
        """What was counted elsewhere, too."""
        for (what, why), (count, example) in others.found.items():
            self.note(what, why, example, count)

    def lines(self) -> list[str]:
        """A line for each kind: "5 .raw files: not an image that is read, such as class0/IMG_0.RAW"."""
        return [
            on_one_line(f"{counted(count, what)}: {why}, such as {example}")
            for (what, why), (count, example) in self.found.items()
        ]
