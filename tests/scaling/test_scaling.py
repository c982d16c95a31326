"""The scaling model, its way to take costs from measurements, and the tables of docs/scaling.md."""

import pytest

import simulate
from model import Cluster, Costs, exchange, group, iteration, slowest

FREE = Costs(wake=0, message=0, byte=0, job=0, task=0, spread=0)


measurements = pytest.mark.skipif(
    not simulate.MEASURED.exists(), reason="no measurements: see docs/scaling.md"
)


# Not within 15 percent, as docs/scaling.md explains.
WIDER = {("lenet5", 4, "grouped"): 0.16}


@measurements
def test_the_model_is_within_15_percent_of_the_measured_runs():
    for *run, real, model in simulate.compared(simulate.read()):
        assert model == pytest.approx(real, rel=WIDER.get(tuple(run), 0.15)), run


@measurements
def test_the_tables_of_the_document_are_those_of_the_program():
    document = simulate.DOCUMENT.read_text()
    assert simulate.written(document) == document


def test_an_executor_alone_exchanges_nothing():
    assert exchange(Cluster(1, link=1.0, delay=1.0), FREE, weights=10, slots=1) == 0


def test_two_executors_send_half_of_gradients_and_weights_and_all_state_once():
    # 2 · 4 P (N - 1) / N = 4 P bytes, and 4 P / N of each state vector.
    assert exchange(Cluster(2, link=100.0), FREE, weights=50, slots=2) == (200 + 200) / 100


def test_grouping_shares_a_job_among_the_iterations_of_a_second():
    costs = Costs(wake=0, message=0, byte=0, job=0.1, task=0, spread=0)
    both = [iteration(Cluster(2), costs, 0.1, 1, 0, grouped) for grouped in (True, False)]
    assert both == pytest.approx([0.1 + 0.1 / 10, 0.1 + 2 * 0.1])


def test_the_slowest_of_many_takes_longer_and_equals_the_median_without_spread():
    assert slowest(16, 0.0) == 1
    assert 1 < slowest(2, 0.05) < slowest(16, 0.05) < slowest(512, 0.05) < 1.25


def test_costs_are_found_again_in_runs_that_the_model_made():
    costs = Costs(wake=2e-4, message=1e-4, byte=1e-9, job=5e-3, task=1e-3, spread=simulate.SPREAD)
    alone = [made(case, 1, batch, costs) for case in simulate.WEIGHTS for batch in (64, 32)]
    sizes = [
        {"case": case, "executors": 2, "batch": 64, "mode": "", "ms_min": 0}
        for case in simulate.WEIGHTS
    ]
    together = [
        made(case, n, 64, costs, mode, simulate.Measured([*alone, *sizes]))
        for case in simulate.WEIGHTS for n in (2, 4) for mode in ("grouped", "two-job")
    ]
    found = simulate.fit(simulate.Measured(alone + together))
    # What a job takes decides how many iterations it has, so some digits are lost on the way.
    for name, value in vars(costs).items():
        assert getattr(found, name) == pytest.approx(value, rel=0.05), name


def made(case, executors, batch, costs, mode="grouped", alone=None) -> dict:
    """A run as `measure.py` prints it, from the model instead of a machine."""
    if executors == 1:
        work = 1e-4 * batch + 1e-8 * simulate.WEIGHTS[case]
        seconds = work + (costs.job + costs.task) / group(work, simulate.LONGEST[case])
    else:
        seconds = simulate.predicted(alone, costs, case, executors, mode)
    return {
        "case": case, "executors": executors, "batch": batch, "mode": mode, "ms_min": seconds * 1000
    }
