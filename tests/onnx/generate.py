"""Writes ONNX's own test cases as folders: KIND/CASE with model.onnx, data.json (tolerances) and
test_data_set_K/{input,output}_I.pb.

    python generate.py FOLDER
"""

import json
import os
import pathlib
import shutil
import sys

import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

DATA = pathlib.Path(onnx.__file__).parent / "backend/test/data"


def generate(folder: pathlib.Path) -> None:
    """All cases, into a folder that is there only when it is complete."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for case in load_model_tests(kind="node"):
        target = new / "node" / case.name
        target.mkdir(parents=True)
        (target / "model.onnx").write_bytes(case.model.SerializeToString())
        tolerances(target, case)
        for i, (inputs, outputs) in enumerate(case.data_sets):
            data = target / f"test_data_set_{i}"
            data.mkdir()
            graph = case.model.graph
            write(data, "input", inputs, graph.input)
            write(data, "output", outputs, graph.output)
    for kind in ["pytorch-converted", "pytorch-operator", "simple"]:
        for case in load_model_tests(kind=kind):
            target = new / kind / case.name
            shutil.copytree(case.model_dir, target)
            tolerances(target, case)
    for case in load_model_tests(kind="real"):
        light(new / "light" / case.name, case)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def tolerances(target: pathlib.Path, case) -> None:
    (target / "data.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}))


def write(data: pathlib.Path, kind: str, values, declared) -> None:
    """Numbers the tensors; sequences and optionals are written in their own messages."""
    for i, (value, info) in enumerate(zip(values, declared)):
        if isinstance(value, onnx.TensorProto):
            message = value
        elif info.type.HasField("sequence_type"):
            message = numpy_helper.from_list(value, info.name)
        elif info.type.HasField("optional_type"):
            message = numpy_helper.from_optional(value, info.name)
        elif info.type.HasField("map_type"):
            message = numpy_helper.from_dict(value, info.name)
        else:
            message = numpy_helper.from_array(value, info.name)
        (data / f"{kind}_{i}.pb").write_bytes(message.SerializeToString())


def light(target: pathlib.Path, case) -> None:
    """A network with constant weights; its input is the one that its expected output is for."""
    name = os.path.basename(case.url).removesuffix(".onnx")
    model = onnx.load(DATA / f"light/{name}.onnx")
    data = target / "test_data_set_0"
    data.mkdir(parents=True)
    shutil.copy(DATA / f"light/{name}.onnx", target / "model.onnx")
    tolerances(target, case)
    known = {tensor.name for tensor in model.graph.initializer}
    inputs = [info for info in model.graph.input if info.name not in known]
    for i, info in enumerate(inputs):
        value = Runner.generate_dummy_data(info, seed=0, name=case.model_name, random=False)
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(value).SerializeToString())
    shutil.copy(DATA / f"light/{name}_output_0.pb", data / "output_0.pb")


if __name__ == "__main__":
    generate(pathlib.Path(sys.argv[1]))
