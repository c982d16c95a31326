"""A training is cancelled: nothing computes, holds memory or runs on."""

import pytest

from executors import Disturber, wait_until_gone
from trainings import executors


@pytest.mark.parametrize("group", ["auto", "1"])
def test_cancelling_the_job_group_leaves_nothing(cluster, observed, group):
    training = observed(cluster.url, executors(1, 2, group), epochs=1000)
    Disturber(training, seed=0).wait_for_step(50)
    training.tell("cancel")
    training.wait(lambda: training.all("failed"), 20)
    training.process.wait(timeout=30)
    assert "cancel" in training.all("failed")[0]["message"]
    training.assert_nothing_left()


def test_an_interrupted_driver_leaves_no_process(cluster, observed):
    training = observed(cluster.url, executors(1, 2), epochs=1000)
    disturber = Disturber(training, seed=0)
    disturber.wait_for_step(50)
    executors_of_it = disturber.pids()
    assert len(executors_of_it) == 2
    training.interrupt()
    training.process.wait(timeout=20)
    wait_until_gone(executors_of_it.values(), 20)
