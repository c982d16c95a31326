"""Inception-v1 (GoogLeNet) in NumPy, without auxiliary classifiers and dropout.

C. Szegedy et al.: "Going deeper with convolutions", CVPR 2015.
"""

import numpy as np
from net import Net

BLOCKS = ["i3a", "i3b", "", "i4a", "i4b", "i4c", "i4d", "i4e", "", "i5a", "i5b"]


class InceptionV1(Net):
    """Inception-v1 as Caffe has it."""

    def norm(self, x, size=5, alpha=1e-4, beta=0.75):
        """x / (1 + alpha mean(x^2 of the channels around))^beta, zeros beyond the ends."""

        def around(values):
            side = size // 2
            padded = np.pad(values, ((0, 0), (0, 0), (0, 0), (side, side)))
            return sum(padded[..., at : at + values.shape[-1]] for at in range(size))

        base = 1 + alpha / size * around(x**2)

        def backward(dy):
            shared = around(dy * x * base ** (-beta - 1))
            return dy * base**-beta - 2 * alpha / size * beta * x * shared

        return x * base**-beta, backward

    def unit(self, name, x, stride=1):
        """A convolution with ReLU."""
        return self.chain(x, (self.conv, name, stride), (self.relu,))

    def block(self, name, x):
        """Four branches side by side."""
        branches = [
            [(self.unit, name + ".b1")],
            [(self.unit, name + ".b3r"), (self.unit, name + ".b3")],
            [(self.unit, name + ".b5r"), (self.unit, name + ".b5")],
            [(self.pool, 1, 1), (self.unit, name + ".bp")],
        ]
        made = [self.chain(x, *branch) for branch in branches]
        ends = np.cumsum([y.shape[-1] for y, _ in made])[:-1]

        def backward(dy):
            parts = zip(made, np.split(dy, ends, axis=-1), strict=True)
            return sum(back(part) for (_, back), part in parts)

        return np.concatenate([y for y, _ in made], axis=-1), backward

    def logits(self, x):
        """Stem, nine blocks, head."""
        stem = [
            *[(self.unit, "conv1", 2), (self.pool,), (self.norm,)],
            *[(self.unit, "conv2r"), (self.unit, "conv2"), (self.norm,), (self.pool,)],
        ]
        blocks = [(self.block, name) if name else (self.pool,) for name in BLOCKS]
        return self.chain(x, *stem, *blocks, (self.head,))
