"""ResNet-50 in NumPy.

K. He, X. Zhang, S. Ren, J. Sun: "Deep residual learning for image recognition", CVPR 2016; the
stride of a bottleneck is on its 3x3 convolution.
"""

import numpy as np
from net import Net


class ResNet50(Net):
    """ResNet-50 as torchvision has it."""

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
        stem = [(self.conv, "conv1", 2), (self.norm, "bn1"), (self.relu,), (self.pool, 1, 2, False)]
        return self.chain(x, *stem, *stages, (self.head,))
