"""Measures what the scaling model is made of: iterations on one executor of two
cores, and on 2 and 4 of one core.

Prints one line of JSON per run: case, executors, rows of an iteration, mode, milliseconds. Run it
on an idle machine; `--nice N` gives what is timed that priority (root), which helps only where
little else runs: who computes is not interrupted at once.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pyspark

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPARK = pathlib.Path(pyspark.__file__).parent


def dense(units: list[int], inputs: int) -> dict:
    """Fully connected layers: many weights, little to compute."""
    layers, source = [], "input"
    for n, width in enumerate(units):
        layers.append({
            "class": "Dense", "name": f"dense{n}", "inputs": [source],
            "config": {"units": width, "activation": "relu" if n + 1 < len(units) else "linear"},
        })
        source = f"dense{n}"
    return model("dense", [inputs], layers, source)


def convolutional() -> dict:
    """LeNet with 32 and 64 channels: few weights, much to compute."""
    layers = [
        ("Conv2D", {"filters": 32, "kernel_size": [5, 5], "activation": "relu"}),
        ("MaxPooling2D", {}),
        ("Conv2D", {"filters": 64, "kernel_size": [5, 5], "activation": "relu"}),
        ("MaxPooling2D", {}),
        ("Flatten", {}),
        ("Dense", {"units": 10}),
    ]
    chain, source = [], "input"
    for n, (kind, config) in enumerate(layers):
        chain.append({"class": kind, "name": f"layer{n}", "config": config, "inputs": [source]})
        source = f"layer{n}"
    return model("conv", [1, 28, 28], chain, source)


def model(name: str, shape: list[int], layers: list, output: str) -> dict:
    inputs = [{"name": "input", "shape": shape}]
    return {"format": 1, "name": name, "inputs": inputs, "layers": layers, "outputs": [output]}


# Definition, rows of an iteration, iterations of an epoch and epochs when grouped.
CASES = {
    "empty": (None, 64, 100, 8),
    "dense": (dense([4096, 1500, 10], 64), 16, 20, 6),
    "lenet5": ("lenet5", 128, 100, 6),
    "conv": (convolutional(), 128, 20, 4),
}
EXECUTORS = [2, 4]
CORES = 2  # of the machine
MODES = {"grouped": "auto", "two-job": "1"}
# Epochs of the empty case that each application begins with, until its JVMs are warm.
WARMING = {"grouped": 40, "two-job": 10}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--nice", type=int)
    nice = options.parse_args().nice
    # One executor alone, with all cores, takes as much for each as one of several will.
    alone = [(case, CORES * CASES[case][1] // share) for case in CASES for share in EXECUTORS]
    together = [(case, CASES[case][1]) for case in CASES]
    applications = [(1, CORES, "grouped", alone)]
    applications += [(n, 1, mode, together) for n in EXECUTORS for mode in MODES]
    for executors, cores, mode, runs in applications:
        for line in measure(executors, cores, mode, runs, nice):
            print(json.dumps(line), flush=True)


def measure(
    executors: int, cores: int, mode: str, runs: list[tuple[str, int]], nice: int | None
) -> Iterator[dict]:
    """Times cases with these batches, one after the other in one application."""
    warming = ("empty", *CASES["empty"][1:3], WARMING[mode])
    timed = [(case, batch, *CASES[case][2:], *written(case)) for case, batch in runs]
    arguments = " -- ".join(" ".join(map(str, run)) for run in [warming, *timed])
    command = [
        SPARK / "bin/spark-submit", "--master", f"local-cluster[{executors},{cores},1024]",
        "--driver-memory", "2g", "--conf", "spark.ui.enabled=false",
        "--conf", f"spark.firesteel.group={MODES[mode]}",
        "--driver-java-options",
        f"-Dlog4j2.configurationFile=file:{ROOT}/spark-examples/log4j2.properties",
        "--jars", ROOT / "jvm/spark/target/firesteel-spark_2.13.jar",
        "--class", "firesteel.examples.Bench",
        ROOT / "spark-examples/target/firesteel-examples_2.13.jar", *arguments.split(),
    ]
    process = subprocess.Popen(
        [str(part) for part in command], text=True, start_new_session=True,
        env={**os.environ, "SPARK_HOME": str(SPARK), "SPARK_LOCAL_IP": "127.0.0.1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    log = []
    watcher = threading.Thread(target=watch, args=(process, nice, log))
    watcher.start()
    left = [None, *runs]
    try:
        for text in process.stdout:
            if text.startswith("{"):
                run = left.pop(0)
                if run is None:
                    continue
                case, batch = run
                line = json.loads(text)
                yield {
                    "case": case, "executors": executors, "batch": batch, "mode": mode,
                    "ms": line["ms_median"], "ms_min": line["ms_min"],
                }
        watcher.join()
        if process.wait() != 0 or left:
            sys.exit(f"{''.join(log[-40:])}\n{executors} executors ended with {process.returncode}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def watch(process: subprocess.Popen, nice: int | None, log: list[str]) -> None:
    """Keeps what is printed beside the results; what is timed begins after the first epoch."""
    for text in process.stderr:
        log.append(text)
        if nice is not None and text.startswith("epoch 1/"):
            os.setpriority(os.PRIO_PGRP, process.pid, nice)


def written(case: str) -> list[pathlib.Path]:
    """The file with the definition, if the case has one."""
    definition = CASES[case][0]
    if definition is None:
        return []
    file = ROOT / f"target/{case}.json"
    if isinstance(definition, str):
        tool = ROOT / "target/release/firesteel"
        file.write_text(subprocess.run(
            [tool, "define", definition], check=True, text=True, stdout=subprocess.PIPE
        ).stdout)
    else:
        file.write_text(json.dumps(definition))
    return [file]


if __name__ == "__main__":
    main()
