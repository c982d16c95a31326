"""What is trained, and on which executors."""

import os

import pytest

# A training of some seconds: an epoch has 94 iterations.
TRAINING = {"batch": 128, "shards": 4, "seed": 1}

# How iterations are grouped, and epochs that take some seconds then.
GROUPED = ("auto", 4)
TWO_JOBS = ("1", 1)
both = pytest.mark.parametrize("group, epochs", [GROUPED, TWO_JOBS])

# How many seeds the tests with random moments try: one in CI, 30 in `make cluster`.
SEEDS = range(int(os.environ.get("FIRESTEEL_SEEDS", "1")))


def executors(cores: int, count: int, group: str = "auto", **more: str) -> dict:
    """Settings for some executors of a standalone cluster."""
    return {
        "spark.firesteel.group": group,
        "spark.executor.cores": str(cores),
        "spark.cores.max": str(cores * count),
        "spark.executor.memory": "600m",
        **more,
    }
