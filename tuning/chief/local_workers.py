"""Start, watch and restart worker processes on this machine."""

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
from emoclf.runtime import TOKEN_VARIABLE

from .chief import Chief

logger = logging.getLogger("emoclf.tuning")

#: Number of times that each worker may die without a trial in a row.
MAX_RESTARTS = 3
#: Seconds to end after a request, before a process is killed.
GRACE_SECONDS = 5.0
#: Seconds that a worker waits for the chief, which listens before the worker starts.
WAIT_SECONDS = 30
#: Number of lines of a worker's log in an error message.
QUOTED_LINES = 5


class LocalWorkers:
    """Context manager for the processes that run trials on this machine.

    They are started as new commands, never forked, because a fork hangs after
    TensorFlow was used.

    Parameters
    ----------
    chief : Chief
        Chief, whose folder receives their output.
    count : int
        Number of processes.
    port : int
        Port of the chief on this machine.
    token : str
        Secret of the chief; "": none.
    """

    def __init__(self, chief: Chief, count: int, port: int, *, token: str = "") -> None:
        self.token = token
        self.chief = chief
        self.count = count
        self.port = port
        self._processes: dict[str, subprocess.Popen[Any]] = {}
        self._restarts_left = MAX_RESTARTS * count
        self._n_outcomes = 0

    def __enter__(self) -> Self:
        self.chief.folder.logs.mkdir(exist_ok=True)
        for number in range(1, self.count + 1):
            self._start(f"worker-{number}")
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes.values():
            process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _start(self, name: str) -> None:
        command = [sys.executable, "-m", "emoclf.tuning", "worker", "--name", name]
        command += ["--oracle", f"127.0.0.1:{self.port}"]
        command += ["--threads", str(self.chief.plan.threads)]
        command += ["--wait", f"{WAIT_SECONDS}s"]
        # The worker imports the same packages, wherever it is started.
        paths = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONPATH": paths, TOKEN_VARIABLE: self.token}
        with open(self._log(name), "ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # Ctrl-C goes to the search only, which then ends its workers.
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self.chief.folder.logs / f"{name}.log"

    def restart_dead(self) -> None:
        """Hand back the trials of processes that died, and start new processes.

        Raises
        ------
        SearchError
            If they die again and again.
        """
        chief = self.chief
        if len(chief.outcomes) > self._n_outcomes:
            self._n_outcomes = len(chief.outcomes)
            self._restarts_left = MAX_RESTARTS * self.count
        for name, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[name]
            if code == 0:
                continue
            cause = _cause(code)
            logger.warning("%s (pid %d) %s.", name, process.pid, cause)
            if name in chief.running:
                # The chief counts the workers that die in a trial.
                chief.lost(name, f"it {cause}")
            else:
                self._restarts_left -= 1
            if chief.stopping:
                continue
            if self._restarts_left < 0:
                raise SearchError(
                    "The workers end before they can run a trial; the last one "
                    f"{cause}. The last lines of {self._log(name)}: "
                    f"{self._last_lines(name)}"
                )
            self._start(name)
        idle = not self._processes and not chief.running
        if idle and not chief.over and not chief.stopping:
            raise SearchError("All workers have ended, but trials are left.")

    def kill(self, name: str) -> None:
        """Kill a process whose trial hangs."""
        if name in self._processes:
            self._processes[name].kill()

    def _last_lines(self, name: str) -> str:
        text = self._log(name).read_text(encoding="utf-8", errors="replace")
        return " | ".join(text.split("\n")[-QUOTED_LINES - 1 :]).strip(" |") or "(none)"


def _cause(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
