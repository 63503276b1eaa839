"""Processes that are forked from one that has imported TensorFlow already.

Importing TensorFlow and Keras takes about five seconds of a core, more than most
commands that tests run. The imports are made once for each test session, in a server
process that runs no operation of TensorFlow; every process is a fork of it with its own
standard streams, environment, folder and process id, so that it can be killed.

What depends on a fresh interpreter needs ``subprocess``: which modules are imported and
what their import prints, environment variables that are read at import, closed streams.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from tiny_search import environment

#: Largest request in bytes: command line and environment.
MAX_REQUEST = 1 << 20


class WarmProcess:
    """A Python process with the interface of ``subprocess.Popen``.

    Parameters
    ----------
    args : str
        Command line behind ``python``: ``-m MODULE …``, ``-c CODE …`` or ``SCRIPT …``.
    stdin : str
        All that it can read from standard input.
    cwd : Path, optional
        Folder; default: the present one.
    env : mapping of str to str
        Further variables of the environment.
    log : binary file, optional
        File for both outputs, which ``communicate`` then does not return.
    """

    def __init__(
        self,
        *args: object,
        stdin: str = "",
        cwd: Path | None = None,
        env: Mapping[str, str] = MappingProxyType({}),
        log: BinaryIO | None = None,
    ) -> None:
        self.args = [*map(str, args)]
        self.returncode: int | None = None
        # Not pipes, which a process that is waited for might fill.
        self._streams = [os.memfd_create(name) for name in ("in", "out", "err")]
        os.write(self._streams[0], stdin.encode())
        os.lseek(self._streams[0], 0, os.SEEK_SET)
        self._outputs: list[str] = []
        request = {"args": self.args, "cwd": str(cwd or Path.cwd())}
        data = json.dumps({**request, "environment": environment() | env}).encode()
        assert len(data) < MAX_REQUEST
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_REQUEST)
        self._connection.connect(_server())
        outputs = [log.fileno()] * 2 if log else self._streams[1:]
        socket.send_fds(self._connection, [data], [self._streams[0], *outputs])
        os.close(self._streams[0])
        self.pid = int(self._connection.recv(99))

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code, or minus the signal's number."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                answer = self._connection.recv(99)
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
            assert answer, "the server of warm processes has ended"
            self.returncode = int(answer)
            self._connection.close()
            self._outputs = [_content(stream) for stream in self._streams[1:]]
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit code, None before the end."""
        try:
            # A timeout of zero would be another error.
            return self.wait(1e-6)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end, and return standard output and standard error."""
        self.wait(timeout)
        output, errors = self._outputs
        return output, errors


def _content(descriptor: int) -> str:
    with open(descriptor, "rb") as stream:
        stream.seek(0)
        return stream.read().decode()


def run(
    *args: object, stdin: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a Python process, and return its exit code and its output."""
    process = WarmProcess(*args, stdin=stdin, cwd=cwd)
    output, errors = process.communicate(timeout=300)
    code = process.wait()
    return subprocess.CompletedProcess(process.args, code, output, errors)


@cache
def _server() -> str:
    """Start the server, which ends with this process, and return its socket."""
    folder = tempfile.mkdtemp(prefix="warm")
    address = os.path.join(folder, "socket")
    process = subprocess.Popen(
        [sys.executable, __file__, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    # It ends when its standard input is closed, also by the death of this process.
    atexit.register(process.communicate)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return address


def serve(address: str) -> list[str]:
    """Fork a process for each connection; return its command line in the process."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MAX_REQUEST)
    listener.bind(address)
    listener.listen()
    ended, wake = socket.socketpair()
    for side in (ended, wake):
        side.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    for source in (sys.stdin, listener, ended):
        selector.register(source, selectors.EVENT_READ)
    waiting: dict[int, socket.socket] = {}
    print("ready", flush=True)
    while True:
        sources = [key.fileobj for key, _ in selector.select()]
        if sys.stdin in sources:
            os.unlink(address)
            os.rmdir(os.path.dirname(address))
            os._exit(0)
        if ended in sources:
            ended.recv(9999)
            _tell_the_ended(waiting)
        if listener not in sources:
            continue
        connection, _ = listener.accept()
        data, streams, _, _ = socket.recv_fds(connection, MAX_REQUEST, 3)
        if pid := os.fork():
            waiting[pid] = connection
            connection.send(str(pid).encode())
            for stream in streams:
                os.close(stream)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        selector.close()
        for used in (listener, ended, wake, connection, *waiting.values()):
            used.close()
        return _become(json.loads(data), streams)


def _tell_the_ended(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        # Perhaps nobody waits for it any more.
        with waiting.pop(pid) as connection, suppress(OSError):
            connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], streams: Sequence[int]) -> list[str]:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return request["args"]


def execute(args: list[str]) -> None:
    """Do what ``python`` does with this command line."""
    kind, *others = args
    if kind == "-m":
        sys.argv, sys.path[0] = others, os.getcwd()
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv, sys.path[0] = ["-c", *others[1:]], ""
        exec(compile(others[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv, sys.path[0] = args, os.path.dirname(kind)
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    # Collections during imports find nothing and take a second.
    gc.disable()
    from emoclf.runtime import import_tensorflow

    import_tensorflow()
    import keras_tuner  # noqa: F401

    import emoclf.cli.commands
    import emoclf.workflow.train  # noqa: F401

    # Without the imported objects, which each process would look through at its end.
    gc.freeze()
    gc.enable()
    execute(serve(sys.argv[1]))
