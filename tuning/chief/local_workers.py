"""Worker processes on this machine: started, watched, and started again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from emoclf.errors import SearchError

from .chief import Chief

logger = logging.getLogger("emoclf.tuning")

#: Processes that may end without a trial, for each worker.
RESTARTS = 3
#: Seconds in which a process ends when it is asked to.
GRACE = 5.0
#: Seconds in which a chief answers its own workers; it is there before they are.
ANSWERS = 30
#: Lines of a worker's log that an error quotes.
QUOTED = 5


class LocalWorkers:
    """Processes that run trials; a context manager ends them.

    They are started from nothing, never forked (a fork after TensorFlow was used hangs
    for ever).

    Parameters
    ----------
    count : int
    port : int
        Of the chief, on this machine.
    logs : Path
        Folder for what they print.
    threads : int
        Of each.
    """

    def __init__(self, count: int, port: int, logs: Path, *, threads: int) -> None:
        self.count = count
        self.port = port
        self.logs = logs
        self.threads = threads
        self._processes: dict[str, subprocess.Popen[Any]] = {}
        self._left = RESTARTS * count
        self._seen = 0

    def __enter__(self) -> Self:
        self.logs.mkdir(exist_ok=True)
        for number in range(1, self.count + 1):
            self._start(f"worker-{number}")
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self, name: str) -> None:
        command = [sys.executable, "-m", "emoclf.tuning", "worker", "--name", name]
        command += ["--oracle", f"127.0.0.1:{self.port}"]
        command += ["--threads", str(self.threads), "--wait", f"{ANSWERS}s"]
        # Found there what was found here, from wherever that was run.
        paths = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONPATH": paths}
        with open(self._log(name), "ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # Ctrl-C is for the search, which then ends its workers.
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tend(self, chief: Chief) -> None:
        """Hand back the trials of processes that ended, and start others.

        Raises
        ------
        SearchError
            If they end again and again.
        """
        if len(chief.outcomes) > self._seen:
            self._seen, self._left = len(chief.outcomes), RESTARTS * self.count
        for name, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[name]
            if code == 0:
                continue
            how = _how(code)
            logger.warning("%s (pid %d) %s.", name, process.pid, how)
            if name in chief.leases:
                # Trials that end their workers come to an end themselves.
                chief.lost(name, f"it {how}")
            else:
                self._left -= 1
            if chief.stopping:
                continue
            if self._left < 0:
                raise SearchError(
                    f"The workers end before they have begun; the last one {how}. The "
                    f"last lines of {self._log(name)}: {self._last_lines(name)}"
                )
            self._start(name)
        idle = not self._processes and not chief.leases
        if idle and not chief.over and not chief.stopping:
            raise SearchError("All workers have ended, and trials are left.")

    def kill(self, name: str) -> None:
        """End a process that does not end what it is at."""
        if name in self._processes:
            self._processes[name].kill()

    def _last_lines(self, name: str) -> str:
        text = self._log(name).read_text(encoding="utf-8", errors="replace")
        return " | ".join(text.split("\n")[-QUOTED - 1 :]).strip(" |") or "(none)"

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for process in self._processes.values():
            process.terminate()
        until = time.monotonic() + GRACE
        for process in self._processes.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
