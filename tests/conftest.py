"""What the end-to-end tests share: the demo, run as a user runs it."""

import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclass
class Demo:
    """What the demo printed and wrote."""

    output: str
    folder: pathlib.Path

    @property
    def accuracy(self) -> float:
        return float(re.search(r"^accuracy ([0-9.]+)$", self.output, re.M).group(1))

    @property
    def weights(self) -> str:
        return re.search(r"^weights ([0-9a-f]{64})$", self.output, re.M).group(1)


@pytest.fixture
def demo(tmp_path):
    """Runs the demo on a master with these arguments."""
    runs = []

    def run(master: str, *args: str) -> Demo:
        folder = tmp_path / f"run{len(runs)}"
        runs.append(folder)
        environment = {**os.environ, "PYTHON": sys.executable, "MASTER": master}
        command = [ROOT / "spark-examples/demo.sh", "--output", folder, *args]
        done = subprocess.run(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=1200,
        )
        assert done.returncode == 0, done.stdout[-8000:]
        return Demo(done.stdout, folder)

    return run


@pytest.fixture
def fashion_mnist() -> pathlib.Path:
    """The full data set, which is not in this repository."""
    folder = ROOT.parent / "shared/data/fashion-mnist"
    if not folder.is_dir():
        assert not os.environ.get("CI"), f"{folder} is missing"
        pytest.skip(f"{folder} is missing: the full Fashion-MNIST")
    return folder
