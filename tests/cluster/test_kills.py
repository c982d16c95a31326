"""Executors are killed at random moments; every training ends with the bits of an undisturbed one.

Which executor dies and when follows from the seed; where in an iteration the blow falls is left to
chance, since a training's pace is.
"""

import pytest

from conftest import ITERATIONS, SEEDS, executors
from executors import Disturber

GROUPS = ["auto", "1"]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_executor_of_three_is_killed(standalone, observed, undisturbed, measured, seed, group):
    cluster = standalone(workers=3, cores=1)
    training = observed(cluster.url, executors(1, 3, **{"spark.firesteel.group": group}))
    killer = Disturber(training, seed)
    killer.wait_for_step(killer.random.randrange(ITERATIONS - 100))
    killer.pause(0.3)
    at = killer.kill_one()
    measured(f"seconds from kill -9 to the next iteration, group {group}", killer.recovered(at))
    assert training.end() == undisturbed
    assert training.all("executor removed")


@pytest.mark.parametrize("seed", SEEDS)
def test_one_after_the_other_is_killed_in_a_local_cluster(observed, undisturbed, seed):
    training = observed("local-cluster[2,1,1024]", epochs=4)
    killer = Disturber(training, seed)
    for _ in range(2):
        killer.wait_for_step(len(training.all("executor removed")) * 120 + 20)
        killer.pause(0.5)
        killer.kill_one()
        training.wait(lambda: len(killer.pids()) == 2, 60)
    assert training.end() == undisturbed


def test_two_neighbours_are_killed_at_once(standalone, observed, undisturbed):
    cluster = standalone(workers=3, cores=1)
    training = observed(cluster.url, executors(1, 3))
    killer = Disturber(training, seed=0)
    killer.wait_for_step(100)
    killer.kill("0", "1")
    assert training.end() == undisturbed
    assert len(training.all("executor removed")) >= 2
