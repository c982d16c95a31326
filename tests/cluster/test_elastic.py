"""Executors come and go while a training runs."""

import os
import time

import pytest

from executors import Disturber
from trainings import executors

# Seconds between changes, and what is trained: long enough for JVMs to start in between.
PACE = float(os.environ.get("FIRESTEEL_PACE", "10"))
WIDE = {"model": "wide", "batch": 512, "shards": 8}
ROUND = [1, 2, 3, 4, 3, 2]


def test_executors_come_and_go(cluster, observed, undisturbed):
    training = observed(cluster.url, executors(1, 4), epochs=12)
    disturber = Disturber(training, seed=0)
    for step, count in [(20, 2), (60, 1), (100, 3), (700, 2), (800, 4)]:
        disturber.wait_for_step(step)
        training.tell(f"executors {count}")
    assert training.end() == undisturbed(12)
    assert len(training.all("executor removed")) >= 3


@pytest.mark.skipif("FIRESTEEL_SEEDS" not in os.environ, reason="takes minutes: make cluster")
def test_changing_executors_cost_at_most_a_quarter_of_a_compute_bound_training(
    cluster, observed, measured
):
    """Every executor has a thread for each core of the machine, so all counts compute alike.

    JVMs that start share the cores with those that train: C2 would take half of what a start takes.
    """
    alike = {
        "spark.firesteel.threads": str(os.cpu_count()),
        "spark.executor.extraJavaOptions": os.environ.get(
            "FIRESTEEL_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1"
        ),
    }
    fixed = observed(cluster.url, executors(1, 2, **alike), epochs=40, **WIDE)
    expected = fixed.end(900)
    changing = observed(cluster.url, executors(1, 4, **alike), epochs=40, **WIDE)
    Disturber(changing, seed=0).wait_for_step(0)
    turn = 0
    while changing.process.poll() is None:
        changing.tell(f"executors {ROUND[turn % len(ROUND)]}")
        turn += 1
        until = time.monotonic() + PACE
        while time.monotonic() < until and changing.process.poll() is None:
            time.sleep(0.1)
    assert changing.end(900) == expected
    slower = seconds(changing) / seconds(fixed) - 1
    measured("time of a training whose executors change every 10 s, over fixed, less 1", slower)
    assert slower <= 0.25


def seconds(training) -> float:
    """From the first iteration's begin to the end."""
    return training.all("ended")[0]["at"] / 1000 - training.steps()[0][0]
