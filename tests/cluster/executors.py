"""The executors of an application as processes: who they are, and what can be done to them."""

import os
import pathlib
import random
import signal
import time


def pids(application: str) -> dict[str, int]:
    """Process of each executor of an application, by the executor's id."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "org.apache.spark.executor.CoarseGrainedExecutorBackend" in command:
            options = dict(zip(command, command[1:]))
            if options.get("--app-id") == application:
                found[options["--executor-id"]] = int(folder.name)
    return found


def wait_until_gone(processes, seconds: float) -> None:
    """Waits until none of these processes is there any more."""
    deadline = time.monotonic() + seconds
    while left := [pid for pid in processes if pathlib.Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, f"processes {left} still run after {seconds} s"
        time.sleep(0.05)


class Disturber:
    """Sends signals to executors chosen by a seed."""

    def __init__(self, training, seed: int):
        self.random = random.Random(seed)
        self._training = training
        self._application = training.wait(lambda: training.all("started"), 120)[0]["application"]

    def pids(self) -> dict[str, int]:
        """Process of each executor that the driver knows."""
        known = {event["executor"] for event in self._training.all("executor added")}
        return {one: pid for one, pid in pids(self._application).items() if one in known}

    def signal_one(self, which: signal.Signals) -> tuple[str, int, float]:
        """Sends a signal to one executor; its id, its process and the time (Unix, seconds)."""
        there = self._training.wait(self.pids, 60)
        executor, pid = self.random.choice(sorted(there.items()))
        at = time.time()
        os.kill(pid, which)
        return executor, pid, at

    def kill(self, *executors: str) -> float:
        """Kills these executors; the time."""
        pids = self.pids()
        at = time.time()
        for executor in executors:
            os.kill(pids[executor], signal.SIGKILL)
        return at

    def kill_one(self) -> float:
        """Kills one executor; the time."""
        return self.signal_one(signal.SIGKILL)[2]

    def wait_for_step(self, iteration: int, seconds: float = 300) -> None:
        """Waits until a job of this or a later iteration has begun."""
        self._training.wait(
            lambda: any(step >= iteration for _, step in self._training.steps()), seconds
        )

    def pause(self, longest: float) -> None:
        """Waits for a random time, so that the next blow may fall anywhere in an iteration."""
        time.sleep(self.random.uniform(0, longest))

    def recovered(self, at: float, seconds: float = 60) -> float:
        """Seconds from `at` until what ran then is done: an iteration after it has begun."""
        steps = self._training.steps()
        running = max((step for when, step in steps if when <= at), default=-1)
        later = self._training.wait(
            lambda: [
                when for when, step in self._training.steps() if when > at and step > running
            ] or [event["at"] / 1000 for event in self._training.all("ended")],
            seconds,
        )
        return later[0] - at
