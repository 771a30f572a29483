"""What every run sets on the machine under it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_numpy_says_nothing_of_numbers_that_became_zero() -> None:
    program = (
        "import warnings; warnings.simplefilter('error'); from sslgraph.pipelines.machine import machine; "
        "machine.use(); import numpy; numpy.finfo(numpy.float32); print(1)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert said.stdout == "1\n", said.stderr
