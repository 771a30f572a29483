"""python -m benchmarks.run [views] [steps] [images] [memory] [--peers] [--rounds N]: everything that is measured here.

With --peers an environment of their own is made for lightly and kornia (and stable-pretraining, if it can be
installed); it sees this environment's packages, so that torch is not installed twice and every way runs in one process
on one torch.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import torch

from sslgraph.pipelines.machine import machine

PEERS = (("lightly", "kornia"), ("stable-pretraining",))
KINDS = ("views", "steps", "images", "memory")
FOLDER = Path(__file__).parent / ".peers"


def main() -> None:
    """Measures what is asked for, everything if nothing is named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kinds", nargs="*", choices=[*KINDS, []])
    options.add_argument("--peers", action="store_true", help="install peers beside, and measure them too")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--photos", default="", help="a folder of photographs, for `images`")
    asked = options.parse_args()
    if asked.peers and "SSLGRAPH_PEERS" not in os.environ:
        raise SystemExit(
            subprocess.run([peers(), "-m", "benchmarks.run", *sys.argv[1:]], env=_environment()).returncode
        )
    torch.set_num_threads(1)
    machine.use()
    print(setting(), flush=True)
    kinds = asked.kinds or list(KINDS)
    if "views" in kinds:
        from . import views

        for name in views.LISTS:
            (timed,) = views.measure(rounds=asked.rounds, lists={name: views.LISTS[name]})
            print(timed.table("sslgraph"), flush=True)
    if "images" in kinds and asked.photos:
        from . import images

        for timed in images.measure(asked.photos, rounds=asked.rounds):
            print(timed.table("sslgraph"), flush=True)
    if "steps" in kinds:
        from . import steps

        for name in steps.STEPS:
            (timed,) = steps.measure(rounds=asked.rounds, names=[name])
            print(timed.table("sslgraph"), steps.of_the_limit(name, timed), sep="\n", flush=True)
    if "memory" in kinds:
        from . import steps

        print("peak memory of three steps, each way in a process of its own")
        for way, mebibytes in steps.peaks().items():
            print(f"  {way:<30} {mebibytes:8.0f} MiB", flush=True)


def peers() -> str:
    """The Python of the peers' environment, which is made if it is not there."""
    python = FOLDER / "bin" / "python"
    if python.is_file():
        return str(python)
    venv.create(FOLDER, with_pip=True)
    inside = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    # This environment's packages are seen from there, so pip finds its torch and does not fetch another.
    (Path(inside.stdout.strip()) / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for group in PEERS:
        # pip warns of much that is no concern here; what it says last is shown if it fails.
        done = subprocess.run([str(python), "-m", "pip", "install", "-q", *group], capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            names = ", ".join(group)
            print(f"{names} can't be installed beside this torch, and is left out: {why}", file=sys.stderr)
    return str(python)


def setting() -> str:
    """When, on what, with which versions."""
    names = ("torch", "torchvision", "lightly", "kornia", "stable-pretraining", "timm")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    date = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{date}; {platform.machine()}, {machine.cores()} cores, {torch.get_num_threads()} thread, "
        f"{torch.backends.cpu.get_cpu_capability()}, load {os.getloadavg()[0]:.1f}; {', '.join(versions)}\n"
        "processor time of the process; ratios: median (least .. greatest) over rounds in turns"
    )


def _environment() -> dict[str, str]:
    here = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "SSLGRAPH_PEERS": "1", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
