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


def converted(model: pathlib.Path, folder: pathlib.Path, **dims: int) -> pathlib.Path:
    """The model as `convert` writes it, which must be valid. Dimensions with names get sizes."""
    new = folder / "new.onnx"
    sizes = [part for name, size in dims.items() for part in ["--dim", f"{name}={size}"]]
    run("convert", model, "--output", new, *sizes)
    written = onnx.load(new)
    onnx.checker.check_model(written, full_check=True)
    assert [o.version for o in written.opset_import] == [22]
    return new


def ours(model: pathlib.Path, inputs: dict, folder: pathlib.Path) -> dict:
    """What the tool computes."""
    given, made = folder / "in.npz", folder / "out.npz"
    np.savez(given, **inputs)
    run("run", model, "--input", given, "--output", made)
    return dict(np.load(made))


def check(model: pathlib.Path, inputs: dict, folder: pathlib.Path, **dims: int) -> dict:
    """Runs a model in the tool, converts it, and runs the result in ONNX Runtime; our outputs."""
    outputs = ours(model, inputs, folder)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        converted(model, folder, **dims), options, providers=["CPUExecutionProvider"]
    )
    theirs = session.run(None, {i.name: inputs[i.name] for i in session.get_inputs()})
    for output, expected in zip(session.get_outputs(), theirs):
        assert outputs[output.name].dtype == expected.dtype
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(outputs[output.name], expected, rtol=1e-5, atol=1e-5 * scale)
    return outputs


def run(*args) -> None:
    done = subprocess.run([*tool(), *map(str, args)], text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr


def save(
    path: pathlib.Path, nodes: list, inputs: dict, weights: dict, outputs: list, opset: int = 22
) -> None:
    """A model whose inputs have the types of these arrays."""
    port = helper.make_tensor_value_info
    kind = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        nodes, "small",
        [port(name, kind(value.dtype), value.shape) for name, value in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.save(onnx.shape_inference.infer_shapes(model, data_prop=True), path)


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
    inputs = {"x": random.normal(size=(2, 3, 6, 6)).astype(np.float32)}
    weights = {name: value.astype(np.float32) for name, value in weights.items()}
    save(tmp_path / "model.onnx", nodes, inputs, weights, ["y"])
    check(tmp_path / "model.onnx", inputs, tmp_path)


def floats(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ints(*values) -> np.ndarray:
    return np.array(values, np.int64)


IMAGE = floats(2, 4, 9, 10)
GRID = np.random.default_rng(3).uniform(-1.2, 1.2, size=(2, 5, 6, 2)).astype(np.float32)
SEQUENCE = floats(5, 3, 4)


def recurrent(op: str, gates: int, directions: int = 1, count: int = 2, **attributes) -> tuple:
    """A recurrent node of 6 hidden units with a bias."""
    weights = [
        floats(directions, gates * 6, 4, seed=2) / 2, floats(directions, gates * 6, 6, seed=3) / 2,
        floats(directions, 2 * gates * 6, seed=4) / 2,
    ]
    return op, [SEQUENCE], weights, {"hidden_size": 6, **attributes}, count


# Op, inputs, weights (none leaves an input out), attributes, number of outputs.
NODES = {
    "dilated MaxPool": ("MaxPool", [IMAGE], [], dict(kernel_shape=[2, 2], dilations=[2, 3])),
    "MaxPool with indices": (
        "MaxPool", [IMAGE], [], dict(kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1), 2,
    ),
    "MaxPool of columns": ("MaxPool", [IMAGE], [], dict(kernel_shape=[2, 2], storage_order=1), 2),
    "AveragePool as large": (
        "AveragePool", [IMAGE], [],
        dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    ),
    "AveragePool with padding": (
        "AveragePool", [IMAGE], [],
        dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    ),
    "Conv as large": (
        "Conv", [IMAGE], [floats(6, 2, 3, 3)],
        dict(auto_pad="SAME_LOWER", strides=[2, 2], group=2),
    ),
    "dilated Conv": ("Conv", [IMAGE], [floats(6, 4, 3, 2)], dict(dilations=[2, 3])),
    "ConvTranspose": (
        "ConvTranspose", [IMAGE], [floats(4, 3, 3, 3), floats(6)],
        dict(strides=[2, 3], pads=[1, 0, 1, 1], output_padding=[1, 0], group=2),
    ),
    "ConvTranspose to a shape": (
        "ConvTranspose", [IMAGE], [floats(4, 3, 3, 3)],
        dict(strides=[2, 2], output_shape=[18, 20]),
    ),
    "Gemm with factors": (
        "Gemm", [floats(3, 4)], [floats(5, 4), floats(5)], dict(alpha=0.5, beta=1.5, transB=1),
    ),
    "LayerNormalization": (
        "LayerNormalization", [floats(2, 3, 8)], [floats(8), floats(8, seed=2)],
        dict(epsilon=1e-3),
    ),
    "InstanceNormalization": (
        "InstanceNormalization", [IMAGE], [floats(4), floats(4, seed=2)], dict(epsilon=1e-3),
    ),
    "GroupNormalization": (
        "GroupNormalization", [IMAGE], [floats(4), floats(4, seed=2)],
        dict(num_groups=2, epsilon=1e-3),
    ),
    "LpNormalization": ("LpNormalization", [floats(3, 5)], [], dict(axis=0, p=1)),
    "MeanVarianceNormalization": ("MeanVarianceNormalization", [IMAGE], [], dict(axes=[0, 2])),
    "LRN": ("LRN", [IMAGE], [], dict(size=3, alpha=0.1, beta=0.6, bias=1.5)),
    "Hardmax": ("Hardmax", [floats(3, 5)], [], dict(axis=0)),
    "LpPool": ("LpPool", [IMAGE], [], dict(kernel_shape=[2, 3], strides=[2, 1], p=3)),
    "Det": ("Det", [floats(2, 3, 3)], [], {}),
    "Einsum": (
        "Einsum", [floats(2, 3, 4), floats(2, 5, 4, seed=2)], [], dict(equation="bij,bkj->bki"),
    ),
    "Resize to sizes": (
        "Resize", [IMAGE], [None, None, ints(2, 4, 13, 7)],
        dict(mode="linear", coordinate_transformation_mode="align_corners"),
    ),
    "Resize by scales": (
        "Resize", [IMAGE], [None, np.array([1, 1, 1.5, 2], np.float32)],
        dict(mode="cubic", cubic_coeff_a=-0.5),
    ),
    "Resize to the nearest": (
        "Resize", [IMAGE], [None, np.array([1, 1, 0.5, 2], np.float32)],
        dict(nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
    ),
    "GridSample": ("GridSample", [IMAGE, GRID], [], dict(padding_mode="border", align_corners=1)),
    "GridSample by cubics": ("GridSample", [IMAGE, GRID], [], dict(mode="cubic")),
    "AffineGrid": ("AffineGrid", [floats(2, 2, 3)], [ints(2, 3, 4, 5)], dict(align_corners=1)),
    "DFT": ("DFT", [floats(2, 8, 1)], [], dict(onesided=1)),
    "LSTM": recurrent("LSTM", 4, count=3),
    "LSTM both ways": recurrent("LSTM", 4, directions=2, count=3, direction="bidirectional"),
    "LSTM with a clip": recurrent("LSTM", 4, count=3, clip=0.3, input_forget=1),
    "GRU": recurrent("GRU", 3, linear_before_reset=1),
    "GRU backwards": recurrent("GRU", 3, direction="reverse"),
    "RNN": recurrent("RNN", 1, activations=["LeakyRelu"], activation_alpha=[0.2]),
    "Pad": ("Pad", [floats(3, 4)], [ints(1, 0, 2, 1), np.float32(0.5)], {}),
    "Pad by reflection": (
        "Pad", [floats(3, 4)], [ints(1, 2), None, ints(-1)], dict(mode="reflect"),
    ),
    "Split": ("Split", [floats(6, 3)], [ints(1, 2, 3)], {}, 3),
    "DepthToSpace": ("DepthToSpace", [IMAGE], [], dict(blocksize=2, mode="CRD")),
    "SpaceToDepth": ("SpaceToDepth", [floats(1, 2, 4, 6)], [], dict(blocksize=2)),
    "Trilu": ("Trilu", [floats(4, 5)], [ints(1)[0]], dict(upper=0)),
    "CumSum": ("CumSum", [floats(4, 5)], [ints(1)[0]], dict(exclusive=1, reverse=1)),
    "OneHot": ("OneHot", [ints(1, 3, 0)], [ints(4), np.array([-1, 2], np.float32)], dict(axis=0)),
    "ArgMax": ("ArgMax", [floats(4, 5)], [], dict(axis=1, keepdims=0)),
    "ScatterElements": (
        "ScatterElements", [floats(3, 4), ints([0, 2], [1, 1]), floats(2, 2, seed=2)], [],
        dict(axis=1, reduction="add"),
    ),
    "ScatterND": (
        "ScatterND", [floats(3, 4), ints([0], [2]), floats(2, 4, seed=2)], [],
        dict(reduction="max"),
    ),
    "ReverseSequence": (
        "ReverseSequence", [floats(4, 3)], [ints(2, 4, 1)], dict(time_axis=0, batch_axis=1),
    ),
    "IsInf": ("IsInf", [np.array([1, np.inf, -np.inf], np.float32)], [], dict(detect_negative=0)),
    "Mod": ("Mod", [floats(3, 4), floats(3, 4, seed=2)], [], dict(fmod=1)),
    "BitShift": (
        "BitShift", [np.array([1, 7], np.uint8)], [np.array([3, 1], np.uint8)],
        dict(direction="LEFT"),
    ),
    "Col2Im": ("Col2Im", [floats(1, 4, 4)], [ints(3, 3), ints(2, 2)], {}),
    "CenterCropPad": ("CenterCropPad", [floats(3, 6)], [ints(5, 4)], {}),
}


def one_node(path: pathlib.Path, op, inputs, weights, attributes, *count) -> dict:
    """Saves a model of one node; its inputs by name."""
    inputs = {f"x{i}": value for i, value in enumerate(inputs)}
    names = [f"w{i}" if weight is not None else "" for i, weight in enumerate(weights)]
    weights = {f"w{i}": np.asarray(w) for i, w in enumerate(weights) if w is not None}
    outputs = [f"y{i}" for i in range(count[0] if count else 1)]
    node = helper.make_node(op, [*inputs, *names], outputs, **attributes)
    save(path, [node], inputs, weights, outputs)
    return inputs


@pytest.mark.parametrize("name", NODES)
def test_nodes_survive_export_with_their_settings(tmp_path, name):
    inputs = one_node(tmp_path / "model.onnx", *NODES[name])
    check(tmp_path / "model.onnx", inputs, tmp_path)


# ONNX Runtime has no kernel of opset 22 for these.
ALONE = {
    "GlobalLpPool": ("GlobalLpPool", [IMAGE], [], dict(p=3)),
    "RoiAlign": (
        "RoiAlign", [IMAGE, np.array([[1, 1, 7, 6], [0, 2, 5, 8]], np.float32)], [ints(0, 1)],
        dict(output_height=3, output_width=2, sampling_ratio=2, spatial_scale=0.9),
    ),
    "MaxRoiPool": (
        "MaxRoiPool",
        [IMAGE, np.array([[0, 1, 1, 7, 6], [1, 0, 2, 5, 8]], np.float32)], [],
        dict(pooled_shape=[3, 2], spatial_scale=0.9),
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_nodes_that_onnx_runtime_lacks_are_read_as_they_were_written(tmp_path, name):
    model = tmp_path / "model.onnx"
    inputs = one_node(model, *ALONE[name])
    before = ours(model, inputs, tmp_path)
    after = ours(converted(model, tmp_path), inputs, tmp_path)
    np.testing.assert_array_equal(before["y0"], after["y0"])


# Ops of later opsets are written as what they are made of.
LATER = {
    "Swish": ("Swish", 24, [floats(3, 4)], [], dict(alpha=1.5)),
    "RMSNormalization": (
        "RMSNormalization", 23, [floats(3, 4, 5)], [floats(4, 5, seed=2)],
        dict(axis=1, epsilon=1e-3),
    ),
    "Attention": (
        "Attention", 23,
        [floats(2, 3, 5, 4), floats(2, 3, 6, 4, seed=2), floats(2, 3, 6, 7, seed=3)], [],
        dict(is_causal=1),
    ),
    "Attention of heads side by side": (
        "Attention", 23, [floats(2, 5, 16), floats(2, 6, 8, seed=2), floats(2, 6, 8, seed=3)],
        [floats(5, 6, seed=4)], dict(q_num_heads=4, kv_num_heads=2, scale=0.7),
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_nodes_of_later_opsets_survive_export(tmp_path, name):
    op, opset, inputs, weights, attributes = LATER[name]
    inputs = {f"x{i}": value for i, value in enumerate(inputs)}
    weights = {f"w{i}": value for i, value in enumerate(weights)}
    node = helper.make_node(op, [*inputs, *weights], ["y"], **attributes)
    save(tmp_path / "model.onnx", [node], inputs, weights, ["y"], opset)
    check(tmp_path / "model.onnx", inputs, tmp_path)
