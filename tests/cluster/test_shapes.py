"""The bits of a training do not depend on executors, cores, or how iterations are grouped."""

import pytest

from conftest import executors


@pytest.mark.parametrize("master, group", [("local[1]", "auto"), ("local[2]", "1")])
def test_one_process(observed, undisturbed, master, group):
    assert observed(master, {"spark.firesteel.group": group}).end() == undisturbed


@pytest.mark.parametrize(
    "count, cores, group", [(1, 4, "auto"), (2, 2, "auto"), (4, 1, "auto"), (2, 2, "1")]
)
def test_standalone_executors(standalone, observed, undisturbed, count, cores, group):
    cluster = standalone(workers=2, cores=4)
    conf = executors(cores, count, **{"spark.firesteel.group": group})
    training = observed(cluster.url, conf)
    assert training.end() == undisturbed
    assert len(training.all("executor added")) == count
