"""Several processes that answer chunks: in order, in constant memory, never forked."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn, Self

from emoclf.bulk.predict_chunks import Answer, Labels, check_options, join, texts_of
from emoclf.bulk.predict_worker import Failure, serve
from emoclf.bulk.record_chunks import Chunks
from emoclf.bulk.record_reader import Entry
from emoclf.errors import EmoclfError, WorkerError, setting
from emoclf.runtime import share_of_threads

logger = logging.getLogger(__name__)

# Chunks for each worker that may be answered while an earlier one is not.
_AHEAD = 2
# Seconds in which a process ends when it is asked to.
_PATIENCE = 5.0


class Workers:
    """Processes that answer chunks; a context manager ends them.

    Each has a pipe of its own and at most one chunk at a time: no lock is shared, so a
    process that is killed cannot hold up the others, and its pipe says that it is gone.

    Parameters
    ----------
    path : path
        Of a bundle or an export, which each process loads once.
    n_workers : int
    options : dict
        Of :func:`emoclf.bulk.predict_chunks.load_classifier`.

    Raises
    ------
    WorkerError
        If a process ends before it is ready. Errors of loading are raised as they are.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        n_workers: int,
        options: dict[str, Any],
    ) -> None:
        check_options(path, options)
        self._processes: dict[Connection, Any] = {}
        self._idle: list[Connection] = []
        # What each is at: the number of a chunk and its records; None while it loads.
        self._busy: dict[Connection, tuple[int, list[Entry]] | None] = {}
        self._done: dict[int, list[Answer]] = {}
        try:
            self._start(path, n_workers, options)
            while not self._idle:
                self._receive()
        except BaseException:
            self.close()
            raise

    labels: Labels

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(
        self, path: str | os.PathLike[str], n_workers: int, options: dict[str, Any]
    ) -> None:
        # Spawned: a fork after TensorFlow was used hangs for ever.
        context = multiprocessing.get_context("spawn")
        with _for_children(n_workers):
            for _ in range(n_workers):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=serve, args=(theirs, path, options), daemon=True
                )
                process.start()
                theirs.close()
                self._processes[ours] = process
                self._busy[ours] = None

    def answers(self, chunks: Chunks) -> Iterator[list[Answer]]:
        """Answer each chunk, in order.

        Raises
        ------
        WorkerError
            If a process fails or is killed.
        """
        waiting = iter(chunks)
        sent = given = 0
        stopped: EmoclfError | None = None
        more = True
        ahead = _AHEAD * len(self._processes)
        while True:
            while more and self._idle and sent - given < ahead:
                if given < sent and chunks.waits:
                    # Who has yet to write the next line may want these answers first.
                    break
                try:
                    chunk = next(waiting, None)
                except EmoclfError as error:
                    # What came before the bad line is answered first.
                    chunk, stopped = None, error
                more = chunk is not None
                if chunk is not None:
                    self._send(sent, chunk)
                    sent += 1
            if given == sent:
                break
            while given not in self._done:
                self._receive()
            while given in self._done:
                yield self._done.pop(given)
                given += 1
        if stopped is not None:
            raise stopped

    def _send(self, number: int, chunk: list[Entry]) -> None:
        connection = self._idle.pop()
        self._busy[connection] = (number, chunk)
        try:
            connection.send(texts_of(chunk))
        except OSError:
            self._lost(connection)

    def _receive(self) -> None:
        """Take what one or more of the busy processes have to say."""
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            try:
                found = connection.recv()
            except (EOFError, OSError):
                self._lost(connection)
            if isinstance(found, Failure):
                self._failed(connection, found)
            work = self._busy.pop(connection)
            self._idle.append(connection)
            if work is None:
                self.labels = found
            else:
                number, chunk = work
                self._done[number] = join(chunk, *found)

    def _failed(self, connection: Connection, failure: Failure) -> NoReturn:
        if failure.error is not None:
            raise failure.error
        logger.error("%s", failure.traceback.rstrip())
        raise WorkerError(
            f"A worker process failed {self._at(connection)}: {failure.what}. Try "
            f"{setting('workers', 1)}, which does everything in one process."
        )

    def _lost(self, connection: Connection) -> NoReturn:
        process = self._processes[connection]
        process.join(_PATIENCE)
        code = process.exitcode
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        else:
            how = f"ended with exit code {code}"
        raise WorkerError(
            f"A worker process (pid {process.pid}) {how} {self._at(connection)}. If "
            "memory ran out (the system's log says so), give fewer workers."
        )

    def _at(self, connection: Connection) -> str:
        work = self._busy.get(connection)
        if not work:
            return "while it loaded the model"
        chunk = work[1]
        return f"at the records from {chunk[0].number} to {chunk[-1].number}"

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for connection in self._processes:
            connection.close()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._processes.clear()
        self._busy.clear()
        self._idle.clear()


@contextmanager
def _for_children(n_workers: int) -> Iterator[None]:
    """Start processes that share the cores and leave Ctrl-C to this one."""
    # It would take the signal's mask away again if it started in between.
    resource_tracker.ensure_running()
    added = share_of_threads(n_workers)
    # Ctrl-C reaches every process of a terminal. A blocked signal stays so in those
    # that are started now, and comes through here once all of them are known.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            with suppress(KeyError):
                del os.environ[name]
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
