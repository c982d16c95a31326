"""ResNet-50 in NumPy, forward and backward, in the precision of its weights.

Activations are [n, h, w, c], weights [out, in, kh, kw]. A layer returns its result and a function
from the result's gradient to the source's, which leaves the gradients of weights in `grads`.

K. He, X. Zhang, S. Ren, J. Sun: "Deep residual learning for image recognition", CVPR 2016; the
stride of a bottleneck is on its 3x3 convolution.
"""

import numpy as np


class Net:
    """ResNet-50 as torchvision has it, with its weights and the gradients of the last loss."""

    def __init__(self, weights):
        self.weights, self.grads = weights, {}

    def conv(self, name, x, stride=1):
        """Convolution without bias, padded by half the kernel: one matrix product per tap."""
        w = self.weights[name + ".weight"]
        (n, h, _, c), (oc, _, k, _) = x.shape, w.shape
        p, o = k // 2, (h + 2 * (k // 2) - k) // stride + 1
        xp = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        ends = stride * (o - 1) + 1
        taps = [
            (a, b, np.s_[:, a : a + ends : stride, b : b + ends : stride])
            for a in range(k)
            for b in range(k)
        ]
        y = sum(xp[at].reshape(-1, c) @ w[:, :, a, b].T for a, b, at in taps)

        def backward(dy):
            dy, dw, dxp = dy.reshape(-1, oc), np.empty_like(w), np.zeros_like(xp)
            for a, b, at in taps:
                dw[:, :, a, b] = dy.T @ xp[at].reshape(-1, c)
                dxp[at] += (dy @ w[:, :, a, b]).reshape(n, o, o, c)
            self.grads[name + ".weight"] = dw
            return dxp[:, p : p + h, p : p + h]

        return y.reshape(n, o, o, oc), backward

    def norm(self, name, x):
        """Normalisation by mean and biased variance of the batch, epsilon 1e-5."""
        scale, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]

        def mean(values):
            return values.mean((0, 1, 2))

        centred = x - mean(x)
        inverse = 1 / np.sqrt(mean(centred**2) + 1e-5)
        normal = centred * inverse

        def backward(dy):
            count = x.size // len(scale)
            self.grads[name + ".bias"] = mean(dy) * count
            self.grads[name + ".weight"] = mean(dy * normal) * count
            return scale * inverse * (dy - mean(dy) - normal * mean(dy * normal))

        return normal * scale + bias, backward

    def relu(self, x):
        """max(x, 0), with gradient 0 at 0."""
        return np.maximum(x, 0), lambda dy: dy * (x > 0)

    def pool(self, x):
        """Maximum of 3x3 with stride 2, padded by 1; the first of equal ones gets the gradient."""
        n, h, _, c = x.shape
        o = h // 2
        xp = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
        at = [np.s_[:, a : a + h : 2, b : b + h : 2] for a in range(3) for b in range(3)]
        windows = np.stack([xp[window] for window in at])
        first = windows.argmax(0)

        def backward(dy):
            dxp = np.zeros_like(xp)
            for tap, window in enumerate(at):
                dxp[window] += dy * (first == tap)
            return dxp[:, 1 : h + 1, 1 : h + 1]

        return windows.max(0).reshape(n, o, o, c), backward

    def head(self, x):
        """Mean over space, then a dense layer."""
        w, h = self.weights["fc.weight"], x.shape[1]
        mean = x.mean((1, 2))

        def backward(dy):
            self.grads["fc.weight"], self.grads["fc.bias"] = dy.T @ mean, dy.sum(0)
            return np.broadcast_to((dy @ w / h**2)[:, None, None, :], x.shape)

        return mean @ w.T + self.weights["fc.bias"], backward

    def chain(self, x, *layers):
        """Layers one after the other; a layer is a method, its name if it has one, its settings."""
        backwards = []
        for method, *settings in layers:
            x, backward = method(*settings[:1], x, *settings[1:])
            backwards.append(backward)

        def back(dy):
            for backward in reversed(backwards):
                dy = backward(dy)
            return dy

        return x, back

    def bottleneck(self, name, x, stride):
        """Three convolutions beside a shortcut, which the first block of a stage projects."""
        main, main_back = self.chain(
            x,
            *[(self.conv, name + ".conv1"), (self.norm, name + ".bn1"), (self.relu,)],
            *[(self.conv, name + ".conv2", stride), (self.norm, name + ".bn2"), (self.relu,)],
            *[(self.conv, name + ".conv3"), (self.norm, name + ".bn3")],
        )
        down = [(self.conv, name + ".downsample.0", stride), (self.norm, name + ".downsample.1")]
        side, side_back = self.chain(x, *(down if name.endswith(".0") else []))
        y, relu_back = self.relu(main + side)

        def backward(dy):
            dy = relu_back(dy)
            return main_back(dy) + side_back(dy)

        return y, backward

    def logits(self, x):
        """Stem, four stages of bottlenecks, head."""
        stages = [
            (self.bottleneck, f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1)
            for stage, blocks in enumerate((3, 4, 6, 3), start=1)
            for block in range(blocks)
        ]
        stem = [(self.conv, "conv1", 2), (self.norm, "bn1"), (self.relu,), (self.pool,)]
        return self.chain(x, *stem, *stages, (self.head,))

    def loss(self, x, labels, gradients=True):
        """Mean softmax cross-entropy and the logits; fills `grads`."""
        logits, backward = self.logits(x)
        rows = np.arange(len(labels))
        shifted = logits - logits.max(1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(1))
        if gradients:
            diff = np.exp(shifted - log_sum[:, None])
            diff[rows, labels] -= 1
            backward(diff / len(labels))
        return float((log_sum - shifted[rows, labels]).mean()), logits
