"""Measures the figures of docs/performance.md: the engine alone and through Spark.

One line of JSON per case, with the keys of `firesteel bench`; "mode" is engine or spark. Names of
cases as arguments measure only those. Run it on an idle machine.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import pyspark

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / "target/release/firesteel"
SPARK = pathlib.Path(pyspark.__file__).parent
ENVIRONMENT = {
    **os.environ,
    "FIRESTEEL_ONEDNN": str(ROOT / "target/native/linux-x86_64/libdnnl.so.3"),
    "SPARK_HOME": str(SPARK),
    "SPARK_LOCAL_IP": "127.0.0.1",
}

# case, pass, batch
ENGINE = [
    ("lenet5", "train", 128),
    ("lenet5", "infer", 128),
    ("resnet50", "train", 16),
    ("resnet50", "infer", 16),
]

# case, master, iterations per job, batch, iterations of an epoch (lenet5: Fashion-MNIST's), epochs
THROUGH_SPARK = [
    ("empty", "local[2]", "auto", 128, 500, 8),
    ("empty", "local-cluster[2,1,1024]", "auto", 128, 500, 16),
    ("empty", "local-cluster[2,1,1024]", "1", 128, 100, 24),
    ("noop", "local-cluster[2,1,1024]", "1", 128, 100, 24),
    ("lenet5", "local[2]", "auto", 128, 469, 12),
    ("lenet5", "local-cluster[2,1,1024]", "auto", 128, 469, 12),
    ("weights25m", "local-cluster[2,1,2048]", "auto", 2, 40, 4),
    ("weights25m", "local-cluster[2,1,2048]", "1", 2, 40, 4),
    ("resnet50", "local[2]", "auto", 16, 20, 4),
]

# 25 million weights and almost nothing to compute: what is timed is the exchange.
WEIGHTS25M = {
    "format": 1, "name": "weights25m", "inputs": [{"name": "input", "shape": [1024]}],
    "layers": [
        {"class": "Dense", "name": "wide", "inputs": ["input"], "config": {"units": 24130}},
        {"class": "Dense", "name": "narrow", "inputs": ["wide"], "config": {"units": 10}},
    ],
    "outputs": ["narrow"],
}


def main(cases: list[str]) -> None:
    for case, direction, batch in ENGINE:
        if not cases or case in cases:
            print(json.dumps(engine(case, direction, batch)), flush=True)
    for case, master, *sizes in THROUGH_SPARK:
        if not cases or case in cases:
            print(json.dumps(through_spark(case, master, *sizes)), flush=True)


def engine(case: str, direction: str, batch: int) -> dict:
    command = [TOOL, "bench", case, direction, "--threads", "2", "--batch", str(batch)]
    line = json.loads(run(command))
    return {**line, "mode": "engine", "pass": direction}


def through_spark(
    case: str, master: str, group: str, batch: int, iterations: int, epochs: int,
) -> dict:
    arguments = [case, str(batch), str(iterations), str(epochs)]
    if case not in ("empty", "noop"):
        definition = ROOT / f"target/{case}.json"
        own = case == "weights25m"
        definition.write_text(json.dumps(WEIGHTS25M) if own else run([TOOL, "define", case]))
        arguments.append(str(definition))
    command = [
        SPARK / "bin/spark-submit", "--master", master, "--driver-memory", "3g",
        "--conf", "spark.ui.enabled=false", "--conf", f"spark.firesteel.group={group}",
        "--driver-java-options",
        f"-Dlog4j2.configurationFile=file:{ROOT}/spark-examples/log4j2.properties",
        "--jars", ROOT / "jvm/spark/target/firesteel-spark_2.13.jar",
        "--class", "firesteel.examples.Bench",
        ROOT / "spark-examples/target/firesteel-examples_2.13.jar", *arguments,
    ]
    line = json.loads(re.search(r"^\{.*\}$", run(command), re.M).group(0))
    return {**line, "group": group}


def run(command: list) -> str:
    done = subprocess.run(
        [str(part) for part in command], env=ENVIRONMENT, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    if done.returncode != 0:
        sys.exit(f"{done.stderr[-4000:]}\n{command[0]} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
