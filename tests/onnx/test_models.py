"""Trained models of others compute what their sources say, and survive export."""

import os
import pathlib

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from test_conformance import ROOT
from test_export import check

MODELS = ROOT.parent / "shared/data/models/onnx"


@pytest.fixture
def models() -> pathlib.Path:
    """The models, which are not in this repository."""
    if not MODELS.is_dir():
        assert not os.environ.get("CI"), f"{MODELS} is missing"
        pytest.skip(f"{MODELS} is missing: the trained models")
    return MODELS


def tensor(path: pathlib.Path) -> np.ndarray:
    message = onnx.TensorProto()
    message.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(message)


@pytest.mark.parametrize("number", range(3))
def test_digits_are_told_apart(models, tmp_path, number):
    data = models / f"mnist_8/test_data_set_{number}"
    outputs = check(
        models / "mnist_8/model.onnx", {"Input3": tensor(data / "input_0.pb")}, tmp_path
    )
    expected = tensor(data / "output_0.pb")
    # The logits are in the thousands.
    np.testing.assert_allclose(outputs["Plus214_Output_0"], expected, rtol=1e-5, atol=2e-3)


def test_a_bidirectional_lstm_over_bytes_gives_its_recorded_output(models, tmp_path):
    recorded = np.load(models / "byte_sb_bidi_lstm/io.npz")
    model, inputs = models / "byte_sb_bidi_lstm/model.onnx", {"input": recorded["input"]}
    outputs = check(model, inputs, tmp_path, batch=2, length=58)
    np.testing.assert_allclose(outputs["output"], recorded["Add_26"], rtol=1e-5, atol=1e-5)


def test_a_face_detector_gives_what_its_golden_holds(models, tmp_path):
    golden = np.load(models / "yunet_s/yunet_s_320_320.golden.npz")
    inputs = {name[3:]: golden[name] for name in golden if name.startswith("in:")}
    outputs = check(models / "yunet_s/yunet_s_320_320.onnx", inputs, tmp_path)
    expected = {name[4:]: golden[name] for name in golden if name.startswith("out:")}
    assert len(expected) == 12
    for name, value in expected.items():
        np.testing.assert_allclose(outputs[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
