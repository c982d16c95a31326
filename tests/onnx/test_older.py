"""Nodes of older opsets, for which ONNX has no cases any more: ONNX Runtime computes the same."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from test_export import IMAGE, floats, ours, save

NODES = {
    "Upsample 7": ("Upsample", 7, [IMAGE], [], dict(scales=[1.0, 1.0, 2.0, 3.0])),
    "Upsample 9 by lines": (
        "Upsample", 9, [IMAGE], [np.array([1, 1, 2, 1.5], np.float32)], dict(mode="linear"),
    ),
    "Resize 10 to more and fewer": (
        "Resize", 10, [IMAGE], [np.array([1, 1, 0.5, 2], np.float32)], dict(mode="nearest"),
    ),
    "Softmax 11": ("Softmax", 11, [floats(2, 3, 4)], [], dict(axis=1)),
    "Hardmax 11": ("Hardmax", 11, [floats(2, 3, 4)], [], dict(axis=1)),
    "Clip 6": ("Clip", 6, [floats(3, 4)], [], dict(min=-0.5, max=0.5)),
    "Pad 2": ("Pad", 2, [floats(3, 4)], [], dict(pads=[1, 0, 0, 2], value=1.5)),
    "TopK 1": ("TopK", 9, [floats(3, 4)], [], dict(k=2, axis=1)),
    "BatchNormalization 7": (
        "BatchNormalization", 7, [IMAGE],
        [floats(4), floats(4, seed=2), floats(4, seed=3), np.abs(floats(4, seed=4))], {},
    ),
    "BatchNormalization 7 of each place": (
        "BatchNormalization", 7, [floats(3, 2, 4)],
        [floats(2, 4), floats(2, 4, seed=2), floats(2, 4, seed=3), np.abs(floats(2, 4, seed=4))],
        dict(spatial=0),
    ),
    "RoiAlign 10": (
        "RoiAlign", 10, [IMAGE, np.array([[1, 1, 7, 6], [0, 2, 5, 8]], np.float32)],
        [np.array([0, 1], np.int64)],
        dict(output_height=3, output_width=2, sampling_ratio=2, spatial_scale=0.9),
    ),
    "MaxRoiPool 1": (
        "MaxRoiPool", 11, [IMAGE, np.array([[0, 1, 1, 7, 6], [1, 0, 2, 5, 8]], np.float32)], [],
        dict(pooled_shape=[3, 2], spatial_scale=0.9),
    ),
    "GlobalLpPool 2": ("GlobalLpPool", 11, [IMAGE], [], dict(p=3)),
    "LpPool 11": (
        "LpPool", 11, [IMAGE], [], dict(kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER"),
    ),
    "MaxUnpool 11": (
        "MaxUnpool", 11, [floats(1, 1, 2, 2), np.array([[[[5, 7], [13, 15]]]], np.int64)], [],
        dict(kernel_shape=[2, 2], strides=[2, 2]),
    ),
    "Gemm 6": ("Gemm", 9, [floats(3, 4)], [floats(4, 5), floats(5)], dict(beta=0.5)),
    "LSTM with peepholes": (
        "LSTM", 14, [floats(4, 2, 3)],
        [
            floats(1, 8, 3), floats(1, 8, 2, seed=2), floats(1, 16, seed=3),
            np.array([4, 2], np.int32), floats(1, 2, 2, seed=4), floats(1, 2, 2, seed=5),
            floats(1, 6, seed=6),
        ],
        dict(hidden_size=2, activations=["HardSigmoid", "Softsign", "Tanh"]),
    ),
    "GRU of sequences of several lengths": (
        "GRU", 14, [floats(4, 2, 3)],
        [
            floats(2, 6, 3), floats(2, 6, 2, seed=2), floats(2, 12, seed=3),
            np.array([4, 2], np.int32), floats(2, 2, 2, seed=4),
        ],
        dict(hidden_size=2, direction="bidirectional"),
    ),
}


@pytest.mark.parametrize("name", NODES)
def test_nodes_of_older_opsets_give_what_onnx_runtime_gives(tmp_path, name):
    op, opset, inputs, weights, attributes = NODES[name]
    inputs = {f"x{i}": value for i, value in enumerate(inputs)}
    weights = {f"w{i}": value for i, value in enumerate(weights)}
    outputs = ["y0", "y1"] if op in ["TopK", "LSTM", "GRU"] else ["y0"]
    node = helper.make_node(op, [*inputs, *weights], outputs, **attributes)
    model = tmp_path / "model.onnx"
    save(model, [node], inputs, weights, outputs, opset)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    made = ours(model, inputs, tmp_path)
    for name, expected in zip(outputs, session.run(None, inputs)):
        np.testing.assert_allclose(made[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


def random(tmp_path, nodes: list, inputs: dict, outputs: list, kinds: list) -> dict:
    """What a model of random nodes gives."""
    port = helper.make_tensor_value_info
    kind = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        nodes, "random", [port(k, kind(v.dtype), v.shape) for k, v in inputs.items()],
        [port(name, kind(np.dtype(k)), None) for name, k in zip(outputs, kinds)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.save(model, tmp_path / "model.onnx")
    return ours(tmp_path / "model.onnx", inputs, tmp_path)


def test_random_nodes_draw_from_their_distributions(tmp_path):
    p = np.array([0.5, 0.2, 0.3], np.float32)
    inputs = {"logits": np.log(p)[None], "p": np.full(10_000, 0.3, np.float32)}
    made = random(
        tmp_path,
        [
            helper.make_node("Multinomial", ["logits"], ["classes"], sample_size=10_000, dtype=7),
            helper.make_node("Bernoulli", ["p"], ["hits"]),
            helper.make_node("RandomNormalLike", ["p"], ["normal"], mean=2.0, scale=3.0),
            helper.make_node("RandomUniformLike", ["p"], ["uniform"], low=-1.0),
        ],
        inputs, ["classes", "hits", "normal", "uniform"],
        ["int64", "float32", "float32", "float32"],
    )
    # Four standard deviations of 10,000 numbers each.
    shares = np.bincount(made["classes"][0], minlength=3) / 10_000
    assert (abs(shares - p) < 4 * np.sqrt(p * (1 - p) / 10_000)).all()
    assert set(made["hits"]) == {0, 1}
    assert abs(made["hits"].mean() - 0.3) < 4 * np.sqrt(0.21 / 10_000)
    assert abs(made["normal"].mean() - 2) < 0.12
    assert abs(made["normal"].std() - 3) < 0.09
    assert made["uniform"].min() >= -1 and made["uniform"].max() < 1
    assert abs(made["uniform"].mean()) < 4 * np.sqrt(4 / 12 / 10_000)


def test_dropouts_of_a_model_drop_different_places_unless_they_have_one_seed(tmp_path):
    constant = lambda name, value: helper.make_node(  # noqa: E731
        "Constant", [], [name], value=onnx.numpy_helper.from_array(np.array(value))
    )
    names = ["a", "b", "c", "d"]
    made = random(
        tmp_path,
        [
            constant("ratio", np.float32(0.4)), constant("training", True),
            *(
                helper.make_node("Dropout", ["x", "ratio", "training"], [name], **seed)
                for name, seed in zip(names, [{}, {}, dict(seed=5), dict(seed=5)])
            ),
        ],
        {"x": np.ones((50, 40), np.float32)}, names, ["float32"] * 4,
    )
    assert (made["a"] != made["b"]).any()
    assert (made["c"] == made["d"]).all()
    dropped = (made["a"] == 0).mean()
    assert abs(dropped - 0.4) < 4 * np.sqrt(0.24 / 2000)
    np.testing.assert_allclose(made["a"][made["a"] != 0], 1 / 0.6, rtol=1e-6)
