"""Writes small.onnx: a model with a bit of everything that the reader knows.

    python make_small.py
"""

import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

branch = [
    helper.make_graph(
        [helper.make_node(op, ["h"], [f"{op}_out"])],
        op,
        [],
        [helper.make_tensor_value_info(f"{op}_out", TensorProto.FLOAT, None)],
    )
    for op in ["Relu", "Neg"]
]
body = helper.make_graph(
    [
        helper.make_node("Identity", ["go"], ["go_on"]),
        helper.make_node("Add", ["v", "one"], ["w"]),
        helper.make_node("Identity", ["w"], ["each"]),
    ],
    "body",
    [
        helper.make_tensor_value_info("i", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
    ],
    [
        helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        helper.make_tensor_value_info("each", TensorProto.FLOAT, None),
    ],
)
function = helper.make_function(
    "own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
    [helper.make_opsetid("", 20)],
)
graph = helper.make_graph(
    [
        helper.make_node("Conv", ["x", "kernel"], ["h"], pads=[1, 1, 1, 1]),
        helper.make_node("If", ["yes"], ["r"], then_branch=branch[0], else_branch=branch[1]),
        helper.make_node("Loop", ["three", "", "r"], ["l", "all"], body=body),
        helper.make_node("Twice", ["l"], ["t"], domain="own"),
        helper.make_node("Shape", ["t"], ["s"]),
        helper.make_node("Slice", ["s", "zero", "two"], ["front"]),
        helper.make_node("Concat", ["front", "rest"], ["to"], axis=0),
        helper.make_node("Reshape", ["t", "to"], ["y"]),
    ],
    "small",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 3, 3])],
    [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        helper.make_tensor_value_info("all", TensorProto.FLOAT, None),
    ],
    [
        numpy_helper.from_array(np.ones((2, 2, 3, 3), np.float32), "kernel"),
        numpy_helper.from_array(np.float32(1), "one"),
        numpy_helper.from_array(np.bool_(True), "yes"),
        helper.make_tensor("three", TensorProto.INT64, [], [3]),
        helper.make_tensor("zero", TensorProto.INT64, [1], [0]),
        helper.make_tensor("two", TensorProto.INT64, [1], [2]),
        helper.make_tensor("rest", TensorProto.INT64, [1], [-1]),
    ],
)
opsets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
model = helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=9)
pathlib.Path(__file__).with_name("small.onnx").write_bytes(model.SerializeToString())
