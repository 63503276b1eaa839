"""Measure import times: median seconds of fresh processes, minus an empty Python's."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import emoclf": ["-c", "import emoclf"],
    "emoclf --help": ["-m", "emoclf", "--help"],
    "emoclf train --help": ["-m", "emoclf", "train", "--help"],
}


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, args in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *args], capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - start)
    empty = statistics.median(seconds["python -c pass"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:<22} {median:.3f} s   {median - empty:+.3f} s")


if __name__ == "__main__":
    main()
