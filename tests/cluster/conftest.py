"""What the cluster tests share: clusters, trainings, and the bits an undisturbed one ends with."""

import functools
import json
import statistics

import pytest

from observed import EXAMPLES, JAR, ROOT, Observed
from standalone import Standalone
from trainings import TRAINING


@pytest.fixture(scope="session")
def jars():
    for jar in (JAR, EXAMPLES):
        assert jar.exists(), f"{jar} is missing: run `make jars` first"


@pytest.fixture(scope="session")
def cluster(jars, tmp_path_factory) -> Standalone:
    """A standalone cluster with room for all executors that a test wishes for."""
    with Standalone(tmp_path_factory.mktemp("cluster"), workers=3, cores=4) as started:
        yield started


@pytest.fixture
def observed(jars, tmp_path):
    """Starts a training on a master, with settings of Spark and options of the program."""
    started = []

    def start(master: str, conf: dict | None = None, *host, **options) -> Observed:
        folder = tmp_path / f"training{len(started)}"
        started.append(Observed(folder, master, conf, *host, **{**TRAINING, **options}))
        return started[-1]

    yield start
    for training in started:
        training.close()


@pytest.fixture(scope="session")
def undisturbed(jars, tmp_path_factory):
    """The bits that a training of so many epochs ends with when nobody disturbs it."""

    @functools.cache
    def bits(epochs: int) -> str:
        folder = tmp_path_factory.mktemp("undisturbed")
        with Observed(folder, "local[2]", epochs=epochs, **TRAINING) as training:
            return training.end()

    return bits


@pytest.fixture(scope="session")
def measured():
    """Takes measurements by name; target/cluster.json has median, worst and all of them."""
    figures = {}
    yield lambda name, figure: figures.setdefault(name, []).append(figure)
    if figures:
        file = ROOT / "target/cluster.json"
        file.parent.mkdir(exist_ok=True)
        report = json.loads(file.read_text()) if file.exists() else {}
        for name, all_of_it in figures.items():
            report[name] = {
                "median": statistics.median(all_of_it), "worst": max(all_of_it), "all": all_of_it,
            }
        file.write_text(json.dumps(report, indent=1) + "\n")
