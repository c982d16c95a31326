"""A real standalone Spark cluster on this machine: a master and workers, each a process."""

import os
import pathlib
import re
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple

import pyspark

SPARK = pathlib.Path(pyspark.__file__).parent


class Host(NamedTuple):
    """Where processes run: an address, and what stands before their commands."""

    address: str = "127.0.0.1"
    prefix: tuple = ()

    @property
    def environment(self) -> dict:
        """The environment of Spark's processes on this host."""
        return {
            **os.environ,
            "SPARK_HOME": str(SPARK),
            "SPARK_LOCAL_IP": self.address,
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_NO_DAEMONIZE": "1",
        }


class Standalone:
    """Listens on the hosts' addresses only, on free ports; all that it writes is in `folder`."""

    def __init__(
        self, folder: pathlib.Path, workers: int, cores: int, hosts: Sequence[Host] = (Host(),)
    ):
        """The master is on the first host, the workers are on all of them in turn."""
        self.folder = folder
        self._processes = []
        try:
            master = self._start(hosts[0], "master", "deploy.master.Master", "--port", "0")
            self.url = self._await(master, r"Starting Spark master at (spark://\S+)")
            for n in range(workers):
                worker = self._start(
                    hosts[n % len(hosts)], f"worker{n}", "deploy.worker.Worker",
                    "--cores", str(cores), "--memory", "8g",
                    "--work-dir", str(folder / f"work{n}"), self.url,
                )
                self._await(worker, r"(Successfully registered with master)")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends workers, with their executors, and master."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self, host: Host, name: str, main: str, *arguments: str) -> pathlib.Path:
        log = self.folder / f"{name}.log"
        command = [
            *host.prefix, SPARK / "bin/spark-class", f"org.apache.spark.{main}",
            "--host", host.address, "--webui-port", "0", *arguments,
        ]
        with log.open("w") as out:
            self._processes.append(subprocess.Popen(
                command, env=host.environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT,
            ))
        return log

    def _await(self, log: pathlib.Path, pattern: str) -> str:
        process = self._processes[-1]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            found = re.search(pattern, log.read_text())
            if found:
                return found.group(1)
            time.sleep(0.05)
        raise AssertionError(f"{log}: expected {pattern}, got\n{log.read_text()[-4000:]}")
