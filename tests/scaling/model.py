"""A model of the time of an iteration on N executors, made of measured costs.

    iteration = slowest(compute of the N executors) + exchange + scheduling
    exchange  = 2 · (wake + (N - 1) · message) + bytes / min(link, one core's copying)
    bytes     = 4 · P · (2 · (N - 1) + slots / k) / N              per executor
    scheduling, two-job = job · (2 jobs);   grouped = job / k,   job = first + each · N

P weights; `slots` state vectors of the optimizer, of which a slice goes to a neighbour after each
group of k iterations (two-job: k = 1). The
compute time of an executor is log-normal around its median. Where executors share cores, as the
measured ones do, everything that computes or copies takes longer by `sharing`.
"""

import functools
import math
import random
from dataclasses import dataclass

JOB_SECONDS = 1.0  # how long a job of grouped iterations lasts


@dataclass(frozen=True)
class Costs:
    """Seconds; of one core where something computes or copies."""

    wake: float  # until a waiting task goes on
    message: float  # to send a slice and take one
    byte: float  # to send a byte and take it
    job: float  # a job without tasks
    task: float  # each task of a job
    spread: float  # standard deviation of the logarithm of an executor's compute time


@dataclass(frozen=True)
class Cluster:
    """N executors; `link` in bytes per second each way, `delay` of a packet in seconds."""

    executors: int
    link: float = math.inf
    delay: float = 0.0
    sharing: float = 1.0


def iteration(
    cluster: Cluster, costs: Costs, compute: float, weights: int, slots: int, grouped: bool,
    longest: float = math.inf,
) -> float:
    """Expected seconds of an iteration.

    `compute` is what an executor needs alone on its cores (median), `longest` the most iterations
    that a job can have.
    """
    work = cluster.sharing * compute * slowest(cluster.executors, costs.spread)
    k = group(work + exchange(cluster, costs, weights, 0), longest) if grouped else 1
    work += exchange(cluster, costs, weights, slots / k)
    job = costs.job + costs.task * cluster.executors
    return work + (job / k if grouped else 2 * job)


def group(seconds: float, longest: float = math.inf) -> float:
    """How many iterations of this length a job has."""
    return min(longest, max(1.0, JOB_SECONDS / seconds))


def exchange(cluster: Cluster, costs: Costs, weights: int, slots: float) -> float:
    """Seconds until gradients have gone to the owners of their slices, and weights to all."""
    n = cluster.executors
    if n == 1:
        return 0.0
    messages = cluster.sharing * (n - 1) * costs.message
    moved = 4 * weights * (2 * (n - 1) + slots) / n
    per_byte = max(cluster.sharing * costs.byte, 1 / cluster.link)
    return 2 * (costs.wake + cluster.delay + messages) + moved * per_byte


@functools.cache
def slowest(count: int, spread: float, draws: int = 1000) -> float:
    """Mean of the largest of `count` log-normal numbers with median 1; the same in every run."""
    numbers = random.Random(count)
    largest = (max(numbers.gauss(0, spread) for _ in range(count)) for _ in range(draws))
    return sum(math.exp(one) for one in largest) / draws
