"""Worker processes that predict chunks, in order and in constant memory."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, NoReturn, Self

from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.predict_chunks import (
    Labels,
    check_options,
    join,
    load_classifier,
    needs_tensorflow,
    predict_texts,
    texts_of,
)
from emoclf.errors import EmoclfError, WorkerError, setting
from emoclf.runtime import load_tensorflow, share_of_threads

logger = logging.getLogger(__name__)

# Chunks of each worker that may be finished before an earlier one.
_CHUNKS_AHEAD = 2
# Seconds within which a process ends when it is terminated.
_END_SECONDS = 5.0


class Failure(NamedTuple):
    """An error in a worker that the user cannot correct.

    Parameters
    ----------
    message : str
        Type and message of the error.
    traceback : str
    """

    message: str
    traceback: str


class Workers:
    """Processes that predict chunks; a context manager that ends them.

    Each has a pipe of its own and at most one chunk at a time: no lock is shared, so a
    process that is killed does not block the others, and its pipe is closed.

    Parameters
    ----------
    path : path
        Bundle or export, which each process loads once.
    n_workers : int
    options : dict
        Options of :func:`emoclf.bulk.predict_chunks.load_classifier`.

    Raises
    ------
    WorkerError
        If a process ends before it is ready. Errors of loading are raised unchanged.
    """

    def __init__(
        self, path: str | os.PathLike[str], n_workers: int, options: dict[str, Any]
    ) -> None:
        check_options(path, options)
        self._processes: dict[Connection, Any] = {}
        self._idle: list[Connection] = []
        # Number and entries of each one's chunk; None while it loads the model.
        self._busy: dict[Connection, tuple[int, list[Entry]] | None] = {}
        self._done: dict[int, list[Entry]] = {}
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
        # Spawned, because a fork after TensorFlow was used hangs for ever.
        context = multiprocessing.get_context("spawn")
        with _for_children(n_workers):
            for _ in range(n_workers):
                connection, worker_end = context.Pipe()
                process = context.Process(
                    target=serve, args=(worker_end, path, options), daemon=True
                )
                process.start()
                worker_end.close()
                self._processes[connection] = process
                self._busy[connection] = None

    def predict(self, entries: Entries) -> Iterator[list[Entry]]:
        """Predict each chunk, in order.

        Raises
        ------
        WorkerError
            If a process fails or is killed.
        """
        chunks = entries.chunks()
        sent = given = 0
        stopped: EmoclfError | None = None
        more = True
        ahead = _CHUNKS_AHEAD * len(self._processes)
        while True:
            while more and self._idle and sent - given < ahead:
                if given < sent and entries.waits:
                    # The next line may be written only after these predictions.
                    break
                try:
                    chunk = next(chunks, None)
                except EmoclfError as error:
                    # The records before the bad line are predicted first.
                    chunk, stopped = None, error
                more = chunk is not None
                if chunk is not None:
                    self._send(sent, chunk)
                    sent += 1
            if given == sent:
                break
            while given not in self._done:
                self._receive()
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
        """Receive the results of one or more busy processes."""
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            try:
                result = connection.recv()
            except (EOFError, OSError):
                self._lost(connection)
            if isinstance(result, EmoclfError):
                raise result
            if isinstance(result, Failure):
                logger.error("%s", result.traceback.rstrip())
                raise WorkerError(
                    f"A worker process failed {self._at(connection)}: "
                    f"{result.message}. Try {setting('workers', 1)}, which uses one "
                    "process."
                )
            work = self._busy.pop(connection)
            self._idle.append(connection)
            if work is None:
                self.labels = result
            else:
                number, chunk = work
                self._done[number] = join(chunk, *result)

    def _lost(self, connection: Connection) -> NoReturn:
        process = self._processes[connection]
        process.join(_END_SECONDS)
        code = process.exitcode
        if code is not None and code < 0:
            end = f"was killed by {signal.Signals(-code).name}"
        else:
            end = f"ended with exit code {code}"
        raise WorkerError(
            f"A worker process (pid {process.pid}) {end} {self._at(connection)}. If "
            "memory ran out (see the system's log), use fewer workers."
        )

    def _at(self, connection: Connection) -> str:
        work = self._busy.get(connection)
        if not work:
            return "while it loaded the model"
        chunk = work[1]
        return f"at the records from {chunk[0].number} to {chunk[-1].number}"

    def close(self) -> None:
        """End all processes at once."""
        for connection in self._processes:
            connection.close()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(_END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._processes.clear()
        self._busy.clear()
        self._idle.clear()


@contextmanager
def _for_children(n_workers: int) -> Iterator[None]:
    """Share the cores among the processes started here, which ignore Ctrl-C."""
    # Starting it later would remove the signal mask that is set below.
    resource_tracker.ensure_running()
    variables = share_of_threads(n_workers)
    # Ctrl-C reaches every process of a terminal. A blocked signal stays blocked in the
    # processes that are started now, and reaches this one once they are all known.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def serve(
    connection: Connection, path: str | os.PathLike[str], options: dict[str, Any]
) -> None:
    """Send the labels, then the predictions for each list of texts that is received.

    Parameters
    ----------
    connection : Connection
        The other process closes it when there is no more work, or when it dies.
    path : path
        Bundle or export.
    options : dict
        Options of :func:`load_classifier`.
    """
    try:
        if needs_tensorflow(path):
            load_tensorflow()
        classifier = load_classifier(path, **options)
        connection.send(Labels(classifier.label_names, classifier.multilabel))
        while True:
            connection.send(predict_texts(classifier, connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except EmoclfError as error:
        connection.send(error)
    except Exception as error:  # noqa: BLE001 - raised in the other process
        message = f"{type(error).__name__}: {error}"
        connection.send(Failure(message, traceback.format_exc()))
