"""The job script of docs/cluster.md, run on this host with stand-ins for Slurm's own two commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs import unlike
from tiny_recipe import RECIPE

ROOT = Path(__file__).parents[3]
STEPS = 60


def script() -> str:
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8").partition("## Slurm")[2]
    return page.partition("```bash\n")[2].partition("```")[0]


def job(folder: Path, out: str) -> subprocess.Popen[bytes]:
    """The script with a short run for the long one; it does not look at the lines for Slurm."""
    here = re.sub(r"train imagenet/dino .*", f"train tiny.yaml --out {folder}/{out}", script())
    (folder / "train.sbatch").write_text(here.replace(":29500", f":{29700 + os.getpid() % 200}"))
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    texts = {
        "srun": 'exec "$@"',
        "scontrol": '[ "$*" = "show hostnames node[1-2]" ] && echo 127.0.0.1',
        "torchrun": f'exec {sys.executable} -m torch.distributed.run "$@"',
    }
    for name, text in texts.items():
        (tools / name).write_text(f"#!/bin/bash\n{text}\n")
        (tools / name).chmod(0o755)
    slurm = {"SLURM_NNODES": "1", "SLURM_GPUS_ON_NODE": "2", "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "node[1-2]"}
    world = {**os.environ, **slurm, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    with (folder / f"{out}.log").open("ab") as log:
        return subprocess.Popen(
            ["bash", "train.sbatch"], cwd=folder, stdout=log, stderr=log, start_new_session=True,
            env={**world, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def is_there(group: int) -> bool:
    """Whether a group of processes has any."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_script_is_ten_lines_and_asks_for_two_nodes_of_eight_gpus() -> None:
    lines = script().splitlines()
    assert len(lines) <= 10 and lines[0] == "#!/bin/bash"
    words = " ".join(line for line in lines if line.startswith("#SBATCH "))
    for word in ("--nodes=2", "--ntasks-per-node=1", "--gpus-per-node=8", "--signal=TERM@300", "--requeue"):
        assert word in words.split(), word
    assert subprocess.run(["bash", "-n"], input=script(), text=True, check=False).returncode == 0


@pytest.mark.slow
def test_a_preempted_job_and_the_next_one_make_the_run_of_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(RECIPE.lstrip().replace("steps: 2", f"steps: {STEPS}"))
    assert job(tmp_path, "calm").wait(300) == 0, (tmp_path / "calm.log").read_text()
    hurt = job(tmp_path, "hurt")
    lines, end = tmp_path / "hurt/metrics.jsonl", time.monotonic() + 300
    while not lines.is_file() or lines.read_text().count('"contrast"') < 1:
        assert time.monotonic() < end and hurt.poll() is None, (tmp_path / "hurt.log").read_text()
        time.sleep(0.05)
    os.killpg(hurt.pid, signal.SIGTERM)  # as Slurm does with all processes of a step
    while is_there(hurt.pid):  # a job has ended once its last process has
        assert time.monotonic() < end
        hurt.poll()
        time.sleep(0.1)
    saved = sorted(path.name for path in (tmp_path / "hurt/checkpoints").glob("step_*"))
    assert saved and saved[-1] < f"step_{STEPS:08d}", (tmp_path / "hurt.log").read_text()
    assert job(tmp_path, "hurt").wait(300) == 0, (tmp_path / "hurt.log").read_text()
    assert unlike(tmp_path / "calm", tmp_path / "hurt") == {}
    assert job(tmp_path, "hurt").wait(100) == 0  # one more finds a finished run, and computes nothing
    assert unlike(tmp_path / "calm", tmp_path / "hurt") == {}
