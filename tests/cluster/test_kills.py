"""Executors are killed at random moments; every training ends with the bits of an undisturbed one.

Which executor dies and when follows from the seed; where in an iteration the blow falls is left to
chance, since a training's pace is.
"""

import pytest

from executors import Disturber
from trainings import SEEDS, both, executors


@both
@pytest.mark.parametrize("seed", SEEDS)
def test_an_executor_of_three_is_killed(
    cluster, observed, undisturbed, measured, seed, group, epochs
):
    training = observed(cluster.url, executors(1, 3, group), epochs=epochs)
    killer = Disturber(training, seed)
    killer.wait_for_step(killer.random.randrange(94 * epochs * 3 // 4))
    killer.pause(0.3)
    at = killer.kill_one()
    measured(f"seconds from kill -9 to the next iteration, group {group}", killer.recovered(at))
    assert training.end() == undisturbed(epochs)
    assert training.all("executor removed")


def test_one_after_the_other_is_killed_in_a_local_cluster(observed, undisturbed):
    training = observed("local-cluster[2,1,1024]", epochs=4)
    killer = Disturber(training, seed=0)
    for kills in range(2):
        killer.wait_for_step(kills * 120 + 20)
        killer.pause(0.5)
        dead = killer.kill_one()
        training.wait(lambda: replaced(training, dead) or training.all("ended"), 120)
    assert training.end() == undisturbed(4)


def test_two_neighbours_are_killed_at_once(cluster, observed, undisturbed):
    training = observed(cluster.url, executors(1, 3), epochs=4)
    killer = Disturber(training, seed=0)
    killer.wait_for_step(100)
    killer.kill(*sorted(killer.pids())[:2])
    assert training.end() == undisturbed(4)
    assert len(training.all("executor removed")) >= 2


def replaced(training, since: float) -> bool:
    """Whether an executor has come since."""
    return any(event["at"] / 1000 > since for event in training.all("executor added"))
