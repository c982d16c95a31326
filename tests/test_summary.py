"""TensorBoard's own reader opens what a training writes."""

import math
import re

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

BATCH, EPOCHS = 100, 2


def read(folder) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0}).Reload()


def test_tensorboard_reads_the_curves_of_a_training(demo, tmp_path):
    logs = tmp_path / "logs"
    run = demo("local[2]", "--epochs", str(EPOCHS), "--batch", str(BATCH), "--logs", str(logs))
    rows = int(re.search(r"([0-9,]+) images to learn from", run.output).group(1).replace(",", ""))
    iterations = rows // BATCH * EPOCHS
    assert rows % BATCH == 0
    train = read(logs / "lenet5/train")
    assert set(train.Tags()["scalars"]) == {"Loss", "Throughput", "LearningRate"}
    loss = train.Scalars("Loss")
    assert [point.step for point in loss] == list(range(1, iterations + 1))
    assert loss[-1].value < loss[0].value / 2
    assert math.isclose(loss[0].value, math.log(10), rel_tol=0.2)
    times = [point.wall_time for point in loss]
    assert times == sorted(times)
    assert all(point.value > 0 for point in train.Scalars("Throughput"))
    assert {round(point.value, 8) for point in train.Scalars("LearningRate")} == {0.002}

    assert len(train.Tags()["histograms"]) == 8
    for tag in train.Tags()["histograms"]:
        points = train.Histograms(tag)
        assert [point.step for point in points] == [iterations // 2, iterations]
        for point in points:
            histogram = point.histogram_value
            assert sum(histogram.bucket) == histogram.num > 0
            assert histogram.bucket_limit == sorted(set(histogram.bucket_limit))
            assert histogram.min < histogram.max < histogram.bucket_limit[-1]
    sizes = [train.Histograms(tag)[0].histogram_value.num for tag in train.Tags()["histograms"]]
    assert sum(sizes) == 22_278

    validation = read(logs / "lenet5/validation")
    assert set(validation.Tags()["scalars"]) == {"Loss", "Top1Accuracy"}
    accuracy = validation.Scalars("Top1Accuracy")
    assert [point.step for point in accuracy] == [iterations // 2, iterations]
    assert math.isclose(accuracy[-1].value, run.accuracy, abs_tol=1e-4)
