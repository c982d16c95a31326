"""firesteel beside ONNX Runtime and OpenVINO: the same ONNX files, the same inputs, in turns.

    python inference.py [--threads 2] [--rounds 3] [--secs 3] [--only NET]

Each engine is a process of its own, which warms up and then times single calls; a round asks one
engine after the other. Printed is the median over the rounds of the medians of the calls, in
milliseconds, and how many times as fast as the faster peer firesteel is. Before that the outputs
are compared. Needs what requirements.txt says, and `make native`."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

CASES = [
    ("resnet50", 1), ("resnet50", 16), ("bert_mini", 1), ("bert_mini", 16), ("lstm", 16), ("ncf", 1024),
]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def onnxruntime_call(model: str, inputs: dict, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)[0]


def openvino_call(model: str, inputs: dict, threads: int):
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    for name, array in inputs.items():
        request.set_tensor(name, openvino.Tensor(array))

    def call():
        request.infer()
        return request.get_output_tensor(0).data

    return call


PEERS = {"onnxruntime": onnxruntime_call, "openvino": openvino_call}


def peer(options) -> None:
    """Times one peer and prints milliseconds; writes its output if told so."""
    call = PEERS[options.peer](options.model, dict(np.load(options.input)), options.threads)
    if options.output:
        np.save(options.output, call())
        return
    start = time.perf_counter()
    while time.perf_counter() - start < 2:
        call()
    times, start = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < options.secs:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    print(statistics.median(times) * 1e3)


def tool() -> str:
    return os.environ.get("FIRESTEEL", str(ROOT / "target/release/firesteel"))


def run(*command) -> str:
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr}")
    return done.stdout


def measured(engine: str, model, inputs, options) -> float:
    """Milliseconds of a call."""
    common = ["--threads", options.threads, "--secs", options.secs, "--input", inputs]
    if engine == "firesteel":
        return json.loads(run(tool(), "bench", model, *common))["ms_median"]
    return float(run(sys.executable, __file__, "--peer", engine, "--model", model, *common))


def difference(model, inputs, options, folder) -> float:
    """Largest difference of the outputs from ONNX Runtime's, relative to the largest number."""
    outputs = []
    for engine in PEERS:
        output = folder / f"{engine}.npy"
        command = ["--peer", engine, "--model", model, "--input", inputs, "--output", output]
        run(sys.executable, __file__, *command)
        outputs.append(np.load(output))
    run(tool(), "run", model, "--input", inputs, "--output", folder / "ours.npz",
        "--threads", options.threads)
    outputs.append(np.load(folder / "ours.npz")["output"])
    errors = [np.abs(output - outputs[0]).max() / np.abs(outputs[0]).max() for output in outputs]
    return float(np.nan_to_num(max(errors), nan=np.inf))


def compare(name: str, batch: int, options, folder) -> None:
    from nets import NETS

    net, model = NETS[name](batch)
    path, inputs = folder / f"{name}.onnx", folder / f"{name}.npz"
    path.write_bytes(model.SerializeToString())
    np.savez(inputs, **net.arrays)
    error = difference(path, inputs, options, folder)
    if error > 1e-3:
        sys.exit(f"{name}, batch {batch}: outputs differ by {error:.1e} of the largest number")
    times = {engine: [] for engine in ["firesteel", *PEERS]}
    for _ in range(options.rounds):
        for engine in times:
            times[engine].append(measured(engine, path, inputs, options))
    median = {engine: statistics.median(times[engine]) for engine in times}
    ratio = min(median[engine] for engine in PEERS) / median["firesteel"]
    cells = " | ".join(f"{median[engine]:.3f}" for engine in times)
    print(f"| {name}, batch {batch} | {cells} | {ratio:.2f} | {error:.0e} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--secs", type=float, default=3)
    parser.add_argument("--only")
    parser.add_argument("--batch", type=int)
    for hidden in ["--peer", "--model", "--input", "--output"]:
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options)
    print("| net | firesteel, ms | ONNX Runtime, ms | OpenVINO, ms | times the faster peer | difference |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, batch in CASES:
            if options.only in (None, name) and options.batch in (None, batch):
                compare(name, batch, options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
