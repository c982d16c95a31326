"""An executor hangs: it is stopped by a signal, keeps its connections and answers nothing."""

import contextlib
import os
import signal

import pytest

from executors import Disturber
from trainings import SEEDS, both, executors


@both
@pytest.mark.parametrize("seed", SEEDS[:10])
def test_a_training_goes_on_without_a_hung_executor(
    cluster, observed, undisturbed, measured, seed, group, epochs
):
    training = observed(cluster.url, executors(1, 3, group), epochs=epochs)
    disturber = Disturber(training, seed)
    disturber.wait_for_step(disturber.random.randrange(94 * epochs * 3 // 4))
    disturber.pause(0.3)
    _, pid, at = disturber.signal_one(signal.SIGSTOP)
    try:
        seconds = disturber.recovered(at)
        measured(f"seconds from SIGSTOP to the next iteration, group {group}", seconds)
        training.wait(lambda: training.all("ended"), 120)
    finally:
        end(pid)
    assert training.end() == undisturbed(epochs)
    assert seconds <= 5


def test_an_executor_that_pauses_now_and_then_changes_nothing(cluster, observed, undisturbed):
    conf = executors(1, 3, **{
        "spark.speculation": "true", "spark.speculation.interval": "50ms",
        "spark.speculation.multiplier": "1.1", "spark.speculation.quantile": "0.5",
    })
    training = observed(cluster.url, conf, epochs=4)
    disturber = Disturber(training, seed=0)
    disturber.wait_for_step(0)
    while not training.all("ended"):
        _, pid, _ = disturber.signal_one(signal.SIGSTOP)
        disturber.pause(0.6)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        disturber.pause(0.6)
    assert training.end() == undisturbed(4)


def end(pid: int) -> None:
    """Kills a stopped process, if its worker has not done so."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
