"""Four nets as ONNX files, written the way PyTorch's exporter writes them (opset 20), with random
weights and fixed shapes; and inputs for them. The nets are those of `firesteel bench CASE`."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {np.float32: TensorProto.FLOAT, np.int64: TensorProto.INT64}


class Net:
    """A graph in the making: each method adds nodes and returns the name of their result."""

    def __init__(self, name: str):
        self.name, self.random = name, np.random.default_rng(1)
        self.nodes, self.weights, self.inputs, self.arrays = [], [], [], {}

    def input(self, name: str, array: np.ndarray) -> str:
        self.arrays[name] = array
        kind = TYPES[array.dtype.type]
        self.inputs.append(helper.make_tensor_value_info(name, kind, array.shape))
        return name

    def constant(self, array: np.ndarray) -> str:
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def weight(self, *shape: int, bound: float | None = None) -> str:
        """Uniform numbers that keep the variance of what they are multiplied with."""
        bound = bound if bound is not None else np.sqrt(3.0 / np.prod(shape[1:]))
        return self.constant(self.random.uniform(-bound, bound, shape).astype(np.float32))

    def node(self, op: str, *src: str, outputs: int = 1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, src, names, **attributes))
        return names[0] if outputs == 1 else names

    def gemm(self, x: str, inputs: int, units: int) -> str:
        return self.node("Gemm", x, self.weight(units, inputs), self.weight(units, bound=0.1), transB=1)

    def linear(self, x: str, inputs: int, units: int) -> str:
        """A dense layer on sequences: a product with the transposed weights, and a sum."""
        w = self.weight(inputs, units, bound=np.sqrt(3.0 / inputs))
        return self.node("Add", self.weight(units, bound=0.1), self.node("MatMul", x, w))

    def conv(self, x: str, inputs: int, channels: int, kernel: int, stride: int = 1) -> str:
        """A convolution with the normalization behind it folded in."""
        w, b = self.weight(channels, inputs, kernel, kernel), self.weight(channels, bound=0.1)
        return self.node(
            "Conv", x, w, b, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4, strides=[stride] * 2
        )

    def norm(self, x: str, units: int) -> str:
        scale = self.constant(np.ones(units, np.float32))
        bias = self.weight(units, bound=0.1)
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def model(self, output: str, shape: list[int]) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [output], ["output"]))
        made = helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, self.name, self.inputs, [made], self.weights)
        opsets = [helper.make_opsetid("", 20)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model


def resnet50(batch: int):
    net = Net("resnet50")
    image = net.random.uniform(-1, 1, (batch, 3, 224, 224)).astype(np.float32)
    x = net.node("Relu", net.conv(net.input("input", image), 3, 64, 7, 2))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2])
    inputs = 64
    for blocks, width, stride in [(3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)]:
        for block in range(blocks):
            step = stride if block == 0 else 1
            y = net.node("Relu", net.conv(x, inputs, width, 1))
            y = net.node("Relu", net.conv(y, width, width, 3, step))
            y = net.conv(y, width, 4 * width, 1)
            if block == 0:
                x = net.conv(x, inputs, 4 * width, 1, step)
            x = net.node("Relu", net.node("Add", y, x))
            inputs = 4 * width
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    return net, net.model(net.gemm(x, inputs, 1000), [batch, 1000])


def bert_mini(batch: int):
    net, words, d, heads = Net("bert_mini"), 128, 256, 4
    ids = net.input("ids", net.random.integers(0, 30522, (batch, words)))
    tokens = net.node("Gather", net.weight(30522, d, bound=1.0), ids)
    x = net.norm(net.node("Add", tokens, net.weight(words, d, bound=1.0)), d)
    for _ in range(4):
        x = net.norm(net.node("Add", x, attention(net, x, batch, words, d, heads)), d)
        y = net.linear(net.node("Gelu", net.linear(x, d, 4 * d)), 4 * d, d)
        x = net.norm(net.node("Add", x, y), d)
    first = net.node("Gather", x, net.constant(np.array(0, np.int64)), axis=1)
    x = net.node("Tanh", net.gemm(first, d, d))
    return net, net.model(net.gemm(x, d, 2), [batch, 2])


def attention(net: Net, x: str, batch: int, words: int, d: int, heads: int) -> str:
    shape = net.ints(batch, words, 3, heads, d // heads)
    x = net.node("Reshape", net.linear(x, d, 3 * d), shape)
    x = net.node("Transpose", x, perm=[2, 0, 3, 1, 4])
    parts = net.node("Split", x, outputs=3, axis=0, num_outputs=3)
    q, k, v = (net.node("Squeeze", part, net.ints(0)) for part in parts)
    k = net.node("Transpose", k, perm=[0, 1, 3, 2])
    root = net.constant(np.array((d // heads) ** -0.25, np.float32))
    scores = net.node("MatMul", net.node("Mul", q, root), net.node("Mul", k, root))
    y = net.node("MatMul", net.node("Softmax", scores, axis=-1), v)
    y = net.node("Transpose", y, perm=[0, 2, 1, 3])
    return net.linear(net.node("Reshape", y, net.ints(batch, words, d)), d, d)


def lstm(batch: int):
    net, hidden = Net("lstm"), 128
    ids = net.input("ids", net.random.integers(0, 20000, (batch, 200)))
    x = net.node("Gather", net.weight(20000, 100, bound=1.0), ids)
    x = net.node("Transpose", x, perm=[1, 0, 2])
    weights = [
        net.weight(1, 4 * hidden, 100, bound=0.09),
        net.weight(1, 4 * hidden, hidden, bound=0.09),
        net.weight(1, 8 * hidden, bound=0.09),
    ]
    states = [net.constant(np.zeros((1, batch, hidden), np.float32)) for _ in range(2)]
    y = net.node("LSTM", x, *weights, "", *states, outputs=3, hidden_size=hidden)[0]
    y = net.node("Transpose", net.node("Squeeze", y, net.ints(1)), perm=[1, 0, 2])
    last = net.node("Gather", y, net.constant(np.array(-1, np.int64)), axis=1)
    return net, net.model(net.gemm(last, hidden, 20), [batch, 20])


def ncf(batch: int):
    net = Net("ncf")
    user = net.input("user", net.random.integers(0, 6040, batch))
    item = net.input("item", net.random.integers(0, 3706, batch))
    tables = [(6040, user), (3706, item), (6040, user), (3706, item)]
    rows = [net.node("Gather", net.weight(n, 20, bound=1.0), ids) for n, ids in tables]
    x = net.node("Concat", rows[0], rows[1], axis=1)
    for inputs, units in [(40, 40), (40, 20), (20, 10)]:
        x = net.node("Relu", net.gemm(x, inputs, units))
    both = net.node("Concat", net.node("Mul", rows[2], rows[3]), x, axis=1)
    return net, net.model(net.gemm(both, 30, 5), [batch, 5])


NETS = {"resnet50": resnet50, "bert_mini": bert_mini, "lstm": lstm, "ncf": ncf}
