"""A golden run of an image net in double precision, from its recording, with NumPy alone.

The recording holds losses and gradient norms of PyTorch in f32. This program rebuilds weights and
batch from it and trains in f64: mean losses of the first steps and the L2 norms of the gradients at
step 0, free of rounding. Then it does so again from weights moved by up to 2^-24 of themselves, as
rounding to f32 moves them: how far that run goes astray is what f32 can promise at best. As in
PyTorch v = momentum v + g and w = w - lr v.

    python f64.py RECORDING.json CASE_f64.json    makes a file beside this program
    python f64.py RECORDING.json --check          gradients against differences
"""

import argparse
import json

import numpy as np
from inception_v1_net import InceptionV1
from resnet50_net import ResNet50

NETS = {"resnet50": ResNet50, "inception_v1": InceptionV1}


def raw(stream, count):
    """splitmix64 of a stream: the bits that weights and data of the recording come from."""
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(stream) * np.uint64(0xD1342543DE82EF95)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(stream, shape, bound):
    """Numbers in [-bound, bound) that f32 holds exactly."""
    unit = (raw(stream, int(np.prod(shape))) >> np.uint64(40)) / 2.0**24
    values = (2 * unit - 1).astype(np.float32) * np.float32(bound)
    return values.reshape(shape).astype(np.float64)


def read(path):
    """The recording, its weights by name, images and classes."""
    with open(path) as file:
        recording = json.load(file)
    weights = {}
    for entry in recording["params"]:
        if "uniform" in entry:
            values = uniform(entry["stream"], entry["shape"], entry["uniform"])
        else:
            values = np.full(entry["shape"], entry["const"], np.float64)
        weights[entry["name"]] = values
    (images,), labels = recording["inputs"], recording["labels"]
    x = uniform(images["stream"], images["shape"], 1.0)
    y = (raw(labels["stream"], recording["batch"]) >> np.uint64(33)) % np.uint64(labels["classes"])
    assert x.ravel()[:4].tolist() == recording["input_first4"][0], "the input begins otherwise"
    assert y[:8].tolist() == labels["first8"], "the labels begin otherwise"
    return recording, weights, x.transpose(0, 2, 3, 1), y.astype(np.int64)


def train(recording, weights, x, labels, steps):
    """Losses, and the gradients and the first logits of step 0."""
    net = NETS[recording["case"]](dict(weights))
    velocity = dict.fromkeys(weights, 0.0)
    losses, first = [], None
    for step in range(steps):
        loss, logits = net.loss(x, labels)
        losses.append(loss)
        print(f"step {step}: {loss:.12f}, f32 {recording['loss_f32'][step]:.12f}", flush=True)
        first = first or (dict(net.grads), logits[0, :8].tolist())
        for name, gradient in net.grads.items():
            velocity[name] = recording["momentum"] * velocity[name] + gradient
            net.weights[name] = net.weights[name] - recording["lr"] * velocity[name]
    return losses, *first


def moved(weights):
    """Weights with a random relative error of up to 2^-24."""
    rng = np.random.default_rng(1)
    return {name: w * (1 + rng.uniform(-1, 1, w.shape) * 2.0**-24) for name, w in weights.items()}


def check(recording, weights, x, labels):
    """Prints |g| of some weights beside the slope of the loss along g, and the same of a random
    direction of all weights, on a corner of the images: each unit that passes zero within the step
    blurs the slope, and a corner has fewer."""
    net, x = NETS[recording["case"]](weights), x[:, :64, :64]
    net.loss(x, labels)
    grads, rng = net.grads, np.random.default_rng(1)
    anything = {name: rng.standard_normal(w.shape) for name, w in weights.items()}
    length = np.sqrt(sum(np.vdot(d, d) for d in anything.values()))
    directions = {"all, random": {name: d / length for name, d in anything.items()}}
    for name in list(weights)[::8]:
        directions[name] = {name: grads[name] / np.linalg.norm(grads[name])}
    for title, direction in directions.items():
        expected = sum(np.vdot(grads[name], d) for name, d in direction.items())
        for step in (1e-7, 1e-8):
            slope = 0.0
            for signed in (step, -step):
                aside = {name: weights[name] + signed * d for name, d in direction.items()}
                net.weights = weights | aside
                slope += net.loss(x, labels, gradients=False)[0] / (2 * signed)
            difference = abs(slope / expected - 1)
            slopes = f"{expected:13.8f} {slope:13.8f}"
            print(f"{title:30} {slopes} by {step:.0e}: {difference:.1e}", flush=True)


def main():
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("recording")
    parser.add_argument("output", nargs="?")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    recording, weights, x, labels = read(options.recording)
    if options.check:
        return check(recording, weights, x, labels)
    losses, grads, logits = train(recording, weights, x, labels, options.steps)
    moved_losses, moved_grads, _ = train(recording, moved(weights), x, labels, options.steps)
    norms = {name: float(np.linalg.norm(grads[name])) for name in weights}
    drift = [float(np.linalg.norm(moved_grads[k] - grads[k])) / norms[k] for k in weights]
    report = {
        "case": recording["case"],
        "loss_f64": losses,
        "step0_f64": {"logits_row0_first8": logits, "grad_l2": norms},
        "moved": {
            "loss_f64": moved_losses,
            "gradient_difference": {"median": np.median(drift), "largest": max(drift)},
        },
    }
    if options.output:
        with open(options.output, "w") as file:
            json.dump(report, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
