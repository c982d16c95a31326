"""What the model says: `costs` shows what it is made of, `check` compares it with the measured
runs, `predict` looks ahead, and `write` puts these tables into docs/scaling.md.

The measurements are in measured.jsonl beside this file, as `measure.py` printed them.
"""

import json
import pathlib
import re
import sys

from model import Cluster, Costs, group, iteration

HERE = pathlib.Path(__file__).resolve().parent
MEASURED = HERE / "measured.jsonl"
DOCUMENT = HERE.parents[1] / "docs/scaling.md"
CORES = 2  # of the machine that was measured

# Weights, and what `measure.py` trains them with: SGD with momentum has one state vector.
WEIGHTS = {"empty": 100, "lenet5": 22_278, "conv": 62_346, "dense": 6_426_750}
SLOTS = 1
LONGEST = {"empty": 100, "lenet5": 100, "conv": 20, "dense": 20}

# Not measured: how much the compute time of equal nodes differs (deviation of its logarithm).
SPREAD = 0.03

# Weights; state vectors of the optimizer (momentum: 1, Adam: 2); seconds in which 2 cores compute
# their batch, as docs/performance.md has them.
NETS = {
    "resnet50, 16": (25_557_032, 1, 16 / 13.3),
    "inception_v1, 32": (6_998_552, 1, 32 / 37.9),
    "bert_mini, 16": (11_072_258, 2, 16 / 112),
    "NCF, 2,048": (392_665, 2, 2048 / 3_910_000),
}
# Bytes per second of payload (94 % of the line), and a round trip's delay: assumed.
LINKS = {
    "1 GbE": (0.94 * 1e9 / 8, 100e-6),
    "10 GbE": (0.94 * 10e9 / 8, 50e-6),
    "100 GbE": (0.94 * 100e9 / 8, 20e-6),
}
NODES = [16, 32, 64, 128, 256, 512]


class Measured:
    """The runs, in seconds: of the epochs' medians the fastest, since other work only adds."""

    def __init__(self, lines: list[dict]):
        self.lines = lines
        self._seconds = {
            (one["case"], one["executors"], one["batch"], one["mode"]): one["ms_min"] / 1000
            for one in lines
        }

    def alone(self, case: str, share: int) -> float:
        """One executor with all cores, each of which computes a share."""
        return self._seconds[case, 1, CORES * share, "grouped"]

    def together(self, case: str, executors: int, mode: str) -> float:
        """Several executors, the batch of the case."""
        return self._seconds[case, executors, self.batch(case), mode]

    def batch(self, case: str) -> int:
        """Rows of an iteration over all executors."""
        return max(
            one["batch"] for one in self.lines if one["case"] == case and one["executors"] > 1
        )


def sharing(executors: int) -> float:
    """How much slower one-core executors are on this machine than each on a core of its own."""
    return max(1.0, executors / CORES)


def fit(measured: Measured) -> Costs:
    """The costs, from the empty case and, by least squares, from the grouped dense case."""
    grouped, apart = (
        {n: measured.together("empty", n, mode) for n in (2, 4)} for mode in ("grouped", "two-job")
    )
    k = {n: group(grouped[n], LONGEST["empty"]) for n in (2, 4)}
    # job + n · task
    jobs = {n: (apart[n] - grouped[n]) / (2 - 1 / k[n]) for n in (2, 4)}
    task = (jobs[4] - jobs[2]) / 2
    job = jobs[2] - 2 * task
    # wake + sharing · (n - 1) · message
    free = Costs(0.0, 0.0, 0.0, job, task, SPREAD)
    waits = {
        n: (grouped[n] - predicted(measured, free, "empty", n, "grouped")) / 2 for n in (2, 4)
    }
    message = (waits[4] - waits[2]) / (3 * sharing(4) - 1)
    free = Costs(waits[2] - message, message, 0.0, job, task, SPREAD)
    pairs = [copied(measured, free, n) for n in (2, 4)]
    byte = sum(moved * rest for moved, rest in pairs) / sum(moved**2 for moved, _ in pairs)
    return Costs(free.wake, message, byte, job, task, SPREAD)


def copied(measured: Measured, free: Costs, executors: int) -> tuple[float, float]:
    """The bytes that a core copies in an iteration of the dense case, and the seconds it takes."""
    real = measured.together("dense", executors, "grouped")
    slots = SLOTS / group(real, LONGEST["dense"])
    moved = 4 * WEIGHTS["dense"] * (2 * (executors - 1) + slots) / executors
    rest = real - predicted(measured, free, "dense", executors, "grouped")
    return sharing(executors) * moved, rest


def predicted(measured: Measured, costs: Costs, case: str, executors: int, mode: str) -> float:
    """Seconds of an iteration on this machine, from what one executor needs for its share."""
    share = measured.alone(case, measured.batch(case) // executors)
    compute = share - (costs.job + costs.task) / group(share, LONGEST[case])
    cluster = Cluster(executors, sharing=sharing(executors))
    return iteration(
        cluster, costs, compute, WEIGHTS[case], SLOTS, mode == "grouped", LONGEST[case]
    )


def compared(measured: Measured) -> list[tuple]:
    """Case, executors, mode, measured and predicted seconds of the runs that gave no cost."""
    costs = fit(measured)
    runs = [
        (case, executors, mode)
        for case in WEIGHTS if case != "empty"
        for executors in (2, 4) for mode in ("grouped", "two-job")
        if (case, mode) != ("dense", "grouped")
    ]
    return [(*run, measured.together(*run), predicted(measured, costs, *run)) for run in runs]


def check(measured: Measured) -> list[str]:
    """The table of these runs."""
    rows = ["| case | executors | mode | measured ms | model ms | model / measured |",
            "|---|---|---|---|---|---|"]
    for case, executors, mode, real, model in compared(measured):
        rows.append(
            f"| {case} | {executors} | {mode} | {real * 1000:.1f} | {model * 1000:.1f} | "
            f"{model / real:.2f} |"
        )
    return rows


def predict(costs: Costs) -> list[str]:
    """Efficiency in percent, grouped / two-job, at a fixed batch per node."""
    rows = ["| net, batch of 2 cores | link | " + " | ".join(f"{n} nodes" for n in NODES) + " |",
            "|---" * (2 + len(NODES)) + "|"]
    for net, (weights, slots, compute) in NETS.items():
        for link, (rate, delay) in LINKS.items():
            cells = []
            for nodes in NODES:
                cluster = Cluster(nodes, rate, delay)
                both = (
                    100 * compute / iteration(cluster, costs, compute, weights, slots, grouped)
                    for grouped in (True, False)
                )
                cells.append(" / ".join(f"{one:.0f}" for one in both))
            rows.append(f"| {net} | {link} | " + " | ".join(cells) + " |")
    return rows


def shown(costs: Costs) -> list[str]:
    """The costs with their units."""
    return [
        "| cost | value |", "|---|---|",
        f"| wake | {costs.wake * 1e3:.3f} ms per phase |",
        f"| message | {costs.message * 1e3:.3f} ms per peer and phase |",
        f"| byte | {costs.byte * 1e9:.3f} ns, {1e-9 / costs.byte:.2f} GB/s |",
        f"| job | {costs.job * 1e3:.2f} ms |",
        f"| task | {costs.task * 1e3:.2f} ms |",
        f"| spread (assumed) | {costs.spread} |",
    ]


def read() -> Measured:
    """The measurements."""
    return Measured([json.loads(line) for line in MEASURED.read_text().splitlines()])


def tables() -> dict[str, str]:
    """The tables of docs/scaling.md by name."""
    measured = read()
    costs = fit(measured)
    rows = {"costs": shown(costs), "check": check(measured), "predict": predict(costs)}
    return {name: "\n".join(table) for name, table in rows.items()}


def written(document: str) -> str:
    """The document with the tables of today, each after the comment that names it."""
    for name, table in tables().items():
        place = rf"(<!-- {name} -->\n)(?:\|.*\n)*"
        document, count = re.subn(place, lambda found: f"{found[1]}{table}\n", document)
        assert count == 1, f"docs/scaling.md: expected one <!-- {name} -->, got {count}"
    return document


def main(what: str) -> None:
    if what == "write":
        DOCUMENT.write_text(written(DOCUMENT.read_text()))
    else:
        print(tables()[what])


if __name__ == "__main__":
    main(*sys.argv[1:])
