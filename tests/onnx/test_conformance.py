"""ONNX's own test cases, all of them; those that do not pass are listed with a reason each."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = ROOT / "target/onnx"
LIST = pathlib.Path(__file__).with_name("not-passing.txt")
KINDS = ["node", "simple", "pytorch-operator", "pytorch-converted", "light"]


def tool() -> list[str]:
    """The command-line tool; another one can be named in the environment."""
    return [os.environ.get("FIRESTEEL_TOOL", str(ROOT / "target/release/firesteel"))]


@pytest.fixture(scope="session")
def cases() -> pathlib.Path:
    """The folders of the cases, generated once."""
    if not CASES.is_dir():
        CASES.parent.mkdir(exist_ok=True)
        generate = pathlib.Path(__file__).with_name("generate.py")
        subprocess.run([sys.executable, generate, CASES], check=True, capture_output=True)
    return CASES


def not_passing() -> dict[str, str]:
    """Reason by case."""
    lines = [line.split(maxsplit=1) for line in LIST.read_text().splitlines()]
    listed = {case: reason for case, reason in lines}
    assert len(listed) == len(lines), "a case is listed twice"
    return listed


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_passes_but_those_that_are_listed(cases, kind):
    done = subprocess.run(
        [*tool(), "conformance", cases / kind], text=True, capture_output=True, timeout=1800
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    names = {path.name for path in (cases / kind).iterdir() if (path / "model.onnx").is_file()}
    assert {result["case"] for result in results} == names, done.stderr[-4000:]
    listed = not_passing()
    failed = {r["case"]: r.get("problem") for r in results if not r["passed"]}
    new = {case: problem for case, problem in failed.items() if case not in listed}
    assert not new, f"{len(new)} cases fail: {new}"
    passing = [r["case"] for r in results if r["passed"] and r["case"] in listed]
    assert not passing, f"take these from {LIST.name}: {passing}"


def test_every_listed_case_exists(cases):
    names = {path.name for kind in KINDS for path in (cases / kind).iterdir()}
    assert set(not_passing()) <= names
