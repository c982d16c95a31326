"""The bits of a training do not depend on executors, cores, or how iterations are grouped."""

import pytest

from trainings import GROUPED, TWO_JOBS, executors


@pytest.mark.parametrize("master", ["local[1]", "local[2]"])
def test_one_process_one_iteration_at_a_time(observed, undisturbed, master):
    group, epochs = TWO_JOBS
    training = observed(master, {"spark.firesteel.group": group}, epochs=epochs)
    assert training.end() == undisturbed(epochs)


@pytest.mark.parametrize(
    "count, cores, how", [(1, 4, GROUPED), (2, 2, GROUPED), (4, 1, GROUPED), (2, 2, TWO_JOBS)]
)
def test_standalone_executors(cluster, observed, undisturbed, count, cores, how):
    group, epochs = how
    training = observed(cluster.url, executors(cores, count, group), epochs=epochs)
    assert training.end() == undisturbed(epochs)
    assert len(training.all("executor added")) == count
