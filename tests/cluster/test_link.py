"""A cluster on two hosts with a slow and lossy link between them."""

import os
import shutil

import pytest

from link import Link
from standalone import Host, Standalone
from trainings import both, executors

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("tc") is None,
    reason="needs root and iproute2",
)


@needs_namespaces
@both
def test_a_link_of_50_megabits_that_loses_a_packet_of_200(
    jars, tmp_path, observed, undisturbed, group, epochs
):
    with Link(megabits=50, loss=0.005) as link:
        hosts = [Host(address, link.prefix(address)) for address in (link.near, link.far)]
        with Standalone(tmp_path, workers=2, cores=1, hosts=hosts) as cluster:
            training = observed(cluster.url, executors(1, 2, group), hosts[0], epochs=epochs)
            assert training.end() == undisturbed(epochs)
            assert len(training.all("executor added")) == 2
            assert link.dropped() > 0
