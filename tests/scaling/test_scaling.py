"""The scaling model against the measurements, and docs/scaling.md against both."""

import pytest

import simulate
from model import Cluster, Costs, exchange, iteration, slowest

FREE = Costs(wake=0, message=0, byte=0, job=0, task=0, spread=0)


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
