"""Layers in NumPy, forward and backward, in the precision of their weights.

Activations are [n, h, w, c], weights [out, in, kh, kw]. A layer returns its result and a function
from the result's gradient to the source's, which leaves the gradients of weights in `grads`.
"""

import numpy as np


class Net:
    """A classifier with its weights and the gradients of the last loss; has a method `logits`."""

    def __init__(self, weights):
        self.weights, self.grads = weights, {}

    def conv(self, name, x, stride=1):
        """Convolution, padded by half the kernel: one matrix product per tap."""
        w, bias = self.weights[name + ".weight"], self.weights.get(name + ".bias")
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
        y = y if bias is None else y + bias

        def backward(dy):
            dy, dw, dxp = dy.reshape(-1, oc), np.empty_like(w), np.zeros_like(xp)
            for a, b, at in taps:
                dw[:, :, a, b] = dy.T @ xp[at].reshape(-1, c)
                dxp[at] += (dy @ w[:, :, a, b]).reshape(n, o, o, c)
            self.grads[name + ".weight"] = dw
            if bias is not None:
                self.grads[name + ".bias"] = dy.sum(0)
            return dxp[:, p : p + h, p : p + h]

        return y.reshape(n, o, o, oc), backward

    def relu(self, x):
        """max(x, 0), with gradient 0 at 0."""
        return np.maximum(x, 0), lambda dy: dy * (x > 0)

    def pool(self, x, pad=0, stride=2, ceil=True):
        """Maximum of 3x3, padded, with the window that reaches over the end if `ceil`; the first of
        equal ones gets the gradient."""
        n, h, _, c = x.shape
        o = (h + 2 * pad - 3 + (stride - 1 if ceil else 0)) // stride + 1
        o -= (o - 1) * stride >= h + pad
        over = stride * (o - 1) + 3 - h - pad
        sides = (pad, max(over, 0))
        xp = np.pad(x, ((0, 0), sides, sides, (0, 0)), constant_values=-np.inf)
        ends = stride * (o - 1) + 1
        at = [np.s_[:, a : a + ends : stride, b : b + ends : stride] for a in range(3) for b in range(3)]
        windows = np.stack([xp[window] for window in at])
        first = windows.argmax(0)

        def backward(dy):
            dxp = np.zeros_like(xp)
            for tap, window in enumerate(at):
                dxp[window] += dy * (first == tap)
            return dxp[:, pad : pad + h, pad : pad + h]

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
            name = [setting for setting in settings if isinstance(setting, str)]
            x, backward = method(*name, x, *settings[len(name) :])
            backwards.append(backward)

        def back(dy):
            for backward in reversed(backwards):
                dy = backward(dy)
            return dy

        return x, back

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
