"""The bits of a training do not depend on executors, cores, or how iterations are grouped."""

import pytest

from conftest import executors

GROUPS = ["auto", "1"]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("master", ["local[1]", "local[2]"])
def test_one_process(observed, undisturbed, master, group):
    assert observed(master, {"spark.firesteel.group": group}).end() == undisturbed


def test_standalone_of_every_shape(standalone, observed, undisturbed):
    cluster = standalone(workers=2, cores=4)
    for count, cores in [(1, 4), (2, 2), (4, 1)]:
        for group in GROUPS:
            conf = executors(cores, count, **{"spark.firesteel.group": group})
            training = observed(cluster.url, conf)
            assert training.end() == undisturbed, (count, cores, group)
            assert len(training.all("executor added")) == count
