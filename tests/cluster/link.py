"""Two hosts, as network namespaces, and a slow and lossy link between them."""

import os
import subprocess


class Link:
    """Hosts `near` and `far`; needs root, iproute2 and a kernel with veth, htb and BPF classifiers.

    The loss is made with a classifier that sends random packets into a queue that drops them, since
    kernels without netem are common in virtual machines.
    """

    near = "10.231.0.1"
    far = "10.231.0.2"

    def __init__(self, megabits: int, loss: float):
        self._names = {host: f"firesteel{os.getpid()}{host[-1]}" for host in (self.near, self.far)}
        try:
            for name in self._names.values():
                run("ip", "netns", "add", name)
            near, far = self._names.values()
            run("ip", "link", "add", "eth0", "netns", near, "type", "veth",
                "peer", "name", "eth0", "netns", far)
            for host, name in self._names.items():
                run("ip", "-n", name, "address", "add", f"{host}/24", "dev", "eth0")
                run("ip", "-n", name, "link", "set", "lo", "up")
                run("ip", "-n", name, "link", "set", "eth0", "up")
                shape(name, megabits, loss)
        except BaseException:
            self.close()
            raise

    def prefix(self, host: str) -> tuple:
        """What stands before a command to run it on this host."""
        return ("ip", "netns", "exec", self._names[host])

    def dropped(self) -> int:
        """Packets lost so far, both ways."""
        found = 0
        for name in self._names.values():
            shown = run("tc", "-n", name, "-s", "qdisc", "show", "dev", "eth0")
            lines = shown.splitlines()
            at = next(i for i, line in enumerate(lines) if line.startswith("qdisc blackhole"))
            found += int(lines[at + 1].split("dropped ")[1].split(",")[0])
        return found

    def close(self) -> None:
        """Removes the hosts and the link."""
        for name in self._names.values():
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def shape(name: str, megabits: int, loss: float) -> None:
    """Limits what leaves a host, and loses a part of its packets."""
    below = int(loss * 2**32)
    # Loads a random number; matches if it is not above `below`.
    classifier = f"4,32 0 0 4294963256,37 1 0 {below},6 0 0 4294967295,6 0 0 0"
    for arguments in [
        ["qdisc", "add", "dev", "eth0", "root", "handle", "1:", "htb", "default", "10"],
        ["class", "add", "dev", "eth0", "parent", "1:", "classid", "1:10", "htb", "rate",
         f"{megabits}mbit", "quantum", "15140"],
        ["class", "add", "dev", "eth0", "parent", "1:", "classid", "1:20", "htb", "rate",
         f"{megabits}mbit", "quantum", "15140"],
        ["qdisc", "add", "dev", "eth0", "parent", "1:20", "blackhole"],
        ["filter", "add", "dev", "eth0", "parent", "1:", "bpf", "bytecode", classifier,
         "classid", "1:20"],
    ]:
        run("tc", "-n", name, *arguments)


def run(*command: str) -> str:
    """Runs a command that must succeed; its output."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
    return done.stdout
