"""A real standalone Spark cluster on this machine: a master and workers, each a process."""

import os
import pathlib
import re
import subprocess
import time

import pyspark

SPARK = pathlib.Path(pyspark.__file__).parent
ENVIRONMENT = {
    **os.environ,
    "SPARK_HOME": str(SPARK),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "SPARK_DAEMON_MEMORY": "256m",
    "SPARK_NO_DAEMONIZE": "1",
}


class Standalone:
    """Listens on loopback only, on free ports; everything it writes is in `folder`."""

    def __init__(self, folder: pathlib.Path, workers: int, cores: int, prefix: tuple = ()):
        """`prefix` is put before each worker's command, such as `ip netns exec NAME`."""
        self.folder = folder
        self._processes = []
        try:
            master = self._start(
                "master", "deploy.master.Master", "--host", "127.0.0.1", "--port", "0",
                "--webui-port", "0",
            )
            self.url = self._await(master, r"Starting Spark master at (spark://\S+)")
            for n in range(workers):
                worker = self._start(
                    f"worker{n}", "deploy.worker.Worker", "--host", "127.0.0.1",
                    "--webui-port", "0", "--cores", str(cores), "--memory", "8g",
                    "--work-dir", str(folder / f"work{n}"), self.url, prefix=prefix,
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

    def _start(self, name: str, main: str, *arguments: str, prefix: tuple = ()) -> pathlib.Path:
        log = self.folder / f"{name}.log"
        command = [*prefix, SPARK / "bin/spark-class", f"org.apache.spark.{main}", *arguments]
        with log.open("w") as out:
            self._processes.append(subprocess.Popen(
                command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out,
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
