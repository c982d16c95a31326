"""What `convert` writes is valid ONNX, and ONNX Runtime computes the same from it as the tool."""

import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from test_conformance import cases, tool  # noqa: F401

LIGHT = ["test_resnet50", "test_squeezenet", "test_densenet121", "test_shufflenet"]


def check(model: pathlib.Path, inputs: dict, folder: pathlib.Path) -> None:
    """Runs a model in the tool, converts it, and runs the result in ONNX Runtime."""
    given, ours, converted = (folder / name for name in ["in.npz", "out.npz", "new.onnx"])
    np.savez(given, **inputs)
    run("run", model, "--input", given, "--output", ours)
    run("convert", model, "--output", converted)
    written = onnx.load(converted)
    onnx.checker.check_model(written, full_check=True)
    assert [o.version for o in written.opset_import] == [22]
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {i.name: inputs[i.name] for i in session.get_inputs()})
    outputs = np.load(ours)
    for output, expected in zip(session.get_outputs(), theirs):
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(outputs[output.name], expected, rtol=1e-5, atol=1e-5 * scale)


def run(*args) -> None:
    done = subprocess.run([*tool(), *map(str, args)], text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", LIGHT)
def test_networks_survive_export(cases, tmp_path, name):  # noqa: F811
    folder = cases / "light" / name
    model = onnx.load(folder / "model.onnx")
    known = {tensor.name for tensor in model.graph.initializer}
    ports = [port for port in model.graph.input if port.name not in known]
    inputs = {}
    for i, port in enumerate(ports):
        message = onnx.TensorProto()
        message.ParseFromString((folder / f"test_data_set_0/input_{i}.pb").read_bytes())
        inputs[port.name] = numpy_helper.to_array(message)
    check(folder / "model.onnx", inputs, tmp_path)


def test_a_small_network_with_weights_survives_export(tmp_path):
    random = np.random.default_rng(1)
    weights = {
        "w": random.normal(size=(4, 3, 3, 3)), "b": random.normal(size=4),
        "m": random.normal(size=(4, 5)), "c": random.normal(size=5),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["h"], pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["h"], ["a"], alpha=0.1),
        helper.make_node("GlobalAveragePool", ["a"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "m", "c"], ["g"]),
        helper.make_node("Softmax", ["g"], ["y"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 5])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    inputs = {"x": random.normal(size=(2, 3, 6, 6)).astype(np.float32)}
    check(tmp_path / "model.onnx", inputs, tmp_path)
