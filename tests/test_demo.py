"""The shaded jar under a real spark-submit, as in the README."""

import gzip
import os
import pathlib
import re
import struct
import subprocess
import zlib

import pyspark

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "spark-examples/data/fashion-mnist"


def test_the_demo_learns_and_plain_java_predicts_the_same(demo):
    run = demo("local[2]", "--epochs", "2")
    assert run.accuracy > 0.79
    assert "plain Java: 2,000 of 2,000 predictions equal to those of Spark" in run.output


def test_every_cluster_shape_gives_the_same_weights(demo):
    shapes = ["local[1]", "local[2]", "local-cluster[2,1,1024]", "local-cluster[1,2,1024]"]
    runs = [demo(shape, "--epochs", "1", "--shards", "4") for shape in shapes]
    assert len({run.weights for run in runs}) == 1, [run.weights for run in runs]


def test_lenet5_reaches_0_89_on_the_full_data_on_both_masters(demo, fashion_mnist):
    args = ["--data", str(fashion_mnist), "--epochs", "10", "--shards", "2"]
    local = demo("local[2]", *args)
    cluster = demo("local-cluster[2,1,2048]", *args)
    assert local.accuracy >= 0.89
    assert cluster.weights == local.weights


def test_batches_of_8192_learn_as_well_as_those_of_128_in_the_same_epochs(fashion_mnist):
    output = submit("firesteel.examples.LargeBatch", "--data", str(fashion_mnist), "--shards", "2")
    runs = re.findall(r"^batch (\d+): accuracy ([0-9.]+) after 24 epochs$", output, re.M)
    small, large = (float(accuracy) for _, accuracy in runs)
    assert [batch for batch, _ in runs] == ["128", "8192"]
    assert small >= 0.89
    assert small - large <= 0.01


def submit(main: str, *args: str) -> str:
    """What an example prints that is no part of demo.sh."""
    spark = pathlib.Path(pyspark.__file__).parent
    command = [
        spark / "bin/spark-submit", "--master", "local[2]", "--driver-memory", "2g",
        "--conf", "spark.ui.enabled=false",
        "--driver-java-options",
        f"-Dlog4j2.configurationFile=file:{ROOT}/spark-examples/log4j2.properties",
        "--jars", ROOT / "jvm/spark/target/firesteel-spark_2.13.jar", "--class", main,
        ROOT / "spark-examples/target/firesteel-examples_2.13.jar", *args,
    ]
    environment = {**os.environ, "SPARK_HOME": str(spark), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, timeout=1200,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def test_folders_of_images_are_read_too(demo, tmp_path):
    for part, prefix in [("train", "train"), ("test", "t10k")]:
        write_images(tmp_path / "images" / part, prefix, 200)
    run = demo("local[2]", "--data", str(tmp_path / "images"), "--epochs", "1")
    assert "200 images to learn from, 200 to test with" in run.output


def write_images(folder: pathlib.Path, prefix: str, count: int) -> None:
    """The first images of an idx file as PNG files, a folder per class."""
    images = gzip.decompress((DATA / f"{prefix}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((DATA / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())[8:]
    for i in range(count):
        target = folder / str(labels[i])
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{i}.png").write_bytes(png(images[i * 784 : (i + 1) * 784], 28))


def png(pixels: bytes, width: int) -> bytes:
    """A grey image in PNG's format."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    height = len(pixels) // width
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
