"""A training whose driver is killed goes on from its checkpoint, to the undisturbed bits."""

import signal

import pytest

from executors import Disturber, wait_until_gone
from trainings import SEEDS, executors


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_driver_is_resumed(cluster, observed, undisturbed, tmp_path, seed):
    checkpoints = {"checkpoint": f"file://{tmp_path}/checkpoints", "every": 20}
    first = observed(cluster.url, executors(1, 2), epochs=4, **checkpoints)
    disturber = Disturber(first, seed)
    disturber.wait_for_step(disturber.random.randrange(60, 250))
    disturber.pause(0.3)
    orphans = disturber.pids()
    first.process.send_signal(signal.SIGKILL)
    wait_until_gone(orphans.values(), 60)
    # Another shape of the cluster, too.
    second = observed(cluster.url, executors(1, 1), epochs=4, **checkpoints)
    assert second.end() == undisturbed(4)
    assert second.steps()[0][1] >= 60 - 20


@pytest.mark.parametrize("seed", SEEDS)
def test_an_executor_is_killed_while_checkpoints_are_written(
    cluster, observed, undisturbed, tmp_path, seed
):
    training = observed(
        cluster.url, executors(1, 3), epochs=4, checkpoint=f"file://{tmp_path}/checkpoints", every=5
    )
    killer = Disturber(training, seed)
    killer.wait_for_step(killer.random.randrange(200))
    jobs = len(checkpoint_jobs(training))
    training.wait(lambda: len(checkpoint_jobs(training)) > jobs, 60)
    killer.pause(0.02)
    killer.kill_one()
    assert training.end() == undisturbed(4)


def checkpoint_jobs(training) -> list[dict]:
    """The jobs that write checkpoints."""
    return [job for job in training.all("job") if "checkpoint" in job["name"]]
