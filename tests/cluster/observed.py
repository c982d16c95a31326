"""A training in a process of its own, seen through the events that it prints."""

import contextlib
import json
import pathlib
import re
import signal
import subprocess
import threading
import time

from standalone import SPARK, Host

ROOT = pathlib.Path(__file__).resolve().parents[2]
JAR = ROOT / "jvm/spark/target/firesteel-spark_2.13.jar"
EXAMPLES = ROOT / "spark-examples/target/firesteel-examples_2.13.jar"
STEP = re.compile(r"^(?:iterations?|forward-backward|parameter synchronization) (\d+)(?: to \d+)?$")


class Observed:
    """`firesteel.examples.ObservedTraining` under spark-submit."""

    def __init__(
        self, folder: pathlib.Path, master: str, conf: dict | None = None, host: Host = Host(),
        **options,
    ):
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": host.address,
            "spark.driver.host": host.address,
            "spark.firesteel.progress": "false",
            "spark.firesteel.stateHash": "true",
            **(conf or {}),
        }
        command = [
            *host.prefix, SPARK / "bin/spark-submit", "--master", master, "--driver-memory", "1g",
            "--driver-java-options",
            f"-Dlog4j2.configurationFile=file:{ROOT}/spark-examples/log4j2.properties",
            *(part for item in settings.items() for part in ("--conf", "=".join(item))),
            "--jars", JAR, "--class", "firesteel.examples.ObservedTraining", EXAMPLES,
            "--data", ROOT / "spark-examples/data/fashion-mnist",
            *(part for name, value in options.items() for part in (f"--{name}", str(value))),
        ]
        folder.mkdir(parents=True, exist_ok=True)
        self.events = []
        self._changed = threading.Condition()
        self._log = folder / "driver.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], env=host.environment, cwd=folder,
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # What happened.

    def all(self, event: str) -> list[dict]:
        """The events of this name so far."""
        with self._changed:
            return [seen for seen in self.events if seen["event"] == event]

    def steps(self) -> list[tuple[float, int]]:
        """When the first job of each iteration or group began, and with which iteration.

        A later one tells that all iterations before it are done.
        """
        found = [(job["at"] / 1000, STEP.match(job["name"])) for job in self.all("job")]
        return [(at, int(match.group(1))) for at, match in found if match]

    def wait(self, enough, seconds: float):
        """Waits until `enough()` is true, and returns it."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (result := enough()):
                left = deadline - time.monotonic()
                ended = not self._reader.is_alive()
                assert left > 0 and not ended, self.report(f"no such event in {seconds} s")
                self._changed.wait(min(left, 0.5))
            return result

    def end(self, seconds: float = 600) -> str:
        """Waits until the training has ended well, with nothing left; the hash of its bits."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.report(f"no end in {seconds} s")) from None
        self._reader.join()
        assert self.process.returncode == 0, self.report(f"ended with {self.process.returncode}")
        assert self.all("ended"), self.report("the training failed")
        self.assert_nothing_left()
        return self.bits

    @property
    def bits(self) -> str:
        """Hash of the trained weights and of the optimizer's state."""
        ended = self.all("ended")[0]
        return f"{ended['weights']} {ended['state']}"

    def assert_nothing_left(self) -> None:
        """No native memory is held and no thread computes on any executor."""
        left = self.all("left")
        assert left and all(one["bytes"] == 0 and not one["threads"] for one in left), left

    def report(self, what: str) -> str:
        """For the message of a failed test."""
        last = "\n".join(json.dumps(event) for event in self.events[-15:])
        return f"{what}\n{last}\n{self._log.read_text()[-6000:]}"

    # What is done to it.

    def tell(self, command: str) -> None:
        """Sends a command; one that has ended does not hear it."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Ends the process, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self) -> None:
        with self._log.with_name("events.jsonl").open("w") as kept:
            for line in self.process.stdout:
                if line.startswith('{"event"'):
                    kept.write(line)
                    kept.flush()
                    with self._changed:
                        self.events.append(json.loads(line))
                        self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()
