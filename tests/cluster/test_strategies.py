"""Trainings that exchange fewer bytes: one result on any cluster, nearly as good as that of all bytes."""

import pytest

from executors import Disturber
from trainings import executors

STRATEGIES = {
    "bf16": {"compression": "bf16"},
    "local": {"local-steps": 4},
    "both": {"compression": "bf16", "local-steps": 4},
}
EPOCHS = 8


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_killed_executor_changes_nothing(cluster, observed, strategy):
    how = {"epochs": EPOCHS, **STRATEGIES[strategy]}
    expected = observed("local[2]", **how).end()
    training = observed(cluster.url, executors(1, 3), **how)
    killer = Disturber(training, seed=0)
    killer.wait_for_step(40)
    killer.pause(0.3)
    killer.kill_one()
    assert training.end() == expected
    assert training.all("executor removed")


def test_accuracy(observed):
    def best(**how) -> float:
        training = observed("local[2]", epochs=12, test=2000, **how)
        training.end()
        return max(epoch["accuracy"] for epoch in training.all("epoch"))

    expected = best()
    assert expected > 0.84
    # Rounded gradients are right on average. Local steps are another method, see docs/training.md.
    assert best(**STRATEGIES["bf16"]) > expected - 0.01
    assert best(**STRATEGIES["local"]) > expected - 0.03
