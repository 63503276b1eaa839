"""Worker processes that predict chunks, in order and in constant memory."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn, Self

from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.predict_chunks import (
    Labels,
    check_options,
    inputs_of,
    join,
    load_classifier,
    needs_tensorflow,
    predict_texts,
)
from emoclf.errors import EmoclfError, WorkerError, setting
from emoclf.runtime import load_tensorflow, share_of_threads

logger = logging.getLogger(__name__)

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
    abstain_below : float, optional
        Option of :meth:`emoclf.classifier.Classifier.predict`.

    Raises
    ------
    WorkerError
        If a process ends before it is ready. Errors of loading are raised unchanged.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        n_workers: int,
        options: dict[str, Any],
        abstain_below: float | None = None,
    ) -> None:
        check_options(path, options)
        self._processes: dict[Connection, Any] = {}
        # Spawned, because a fork after TensorFlow was used hangs for ever.
        context = multiprocessing.get_context("spawn")
        try:
            with _for_children(n_workers):
                for _ in range(n_workers):
                    connection, worker_end = context.Pipe()
                    arguments = worker_end, path, options, abstain_below
                    process = context.Process(target=serve, args=arguments, daemon=True)
                    process.start()
                    worker_end.close()
                    self._processes[connection] = process
            for connection in self._processes:
                self.labels: Labels = self._receive(connection)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def predict(self, entries: Entries) -> Iterator[list[Entry]]:
        """Predict each chunk, in order.

        Raises
        ------
        WorkerError
            If a process fails or is killed.
        """
        chunks = entries.chunks()
        idle = list(self._processes)
        # Chunks that are predicted now, the oldest first.
        busy: deque[tuple[Connection, list[Entry]]] = deque()
        predicted: list[Entry] = []
        stopped: EmoclfError | None = None
        more = True
        while more or busy or predicted:
            # The next line may be written only after the predictions before it.
            while more and idle and not ((busy or predicted) and entries.waits):
                try:
                    chunk = next(chunks, None)
                except EmoclfError as error:
                    # The records before the bad line are predicted first.
                    chunk, stopped = None, error
                more = chunk is not None
                if chunk is not None:
                    busy.append((connection := idle.pop(), chunk))
                    try:
                        connection.send(inputs_of(chunk, entries))
                    except OSError:
                        self._lost(connection, chunk)
            if predicted:
                # All processes work while these are written.
                yield predicted
                predicted = []
            if busy:
                connection, chunk = busy.popleft()
                predicted = join(chunk, self._receive(connection, chunk))
                idle.append(connection)
        if stopped is not None:
            raise stopped

    def _receive(self, connection: Connection, chunk: list[Entry] | None = None) -> Any:
        """Return what a process sends: predictions of its chunk, or the labels."""
        try:
            result = connection.recv()
        except (EOFError, OSError):
            self._lost(connection, chunk)
        if isinstance(result, EmoclfError):
            raise result
        if isinstance(result, Failure):
            logger.error("%s", result.traceback.rstrip())
            raise WorkerError(
                f"A worker process failed {_work(chunk)}: {result.message}. Try "
                f"{setting('workers', 1)}, which uses one process."
            )
        return result

    def _lost(self, connection: Connection, chunk: list[Entry] | None) -> NoReturn:
        process = self._processes[connection]
        process.join(_END_SECONDS)
        code = process.exitcode
        if code is not None and code < 0:
            end = f"was killed by {signal.Signals(-code).name}"
        else:
            end = f"ended with exit code {code}"
        if chunk is None and code == 1:
            # Errors of loading are sent, so that this one is earlier.
            raise WorkerError(
                "A worker process ended while it imported the script that started it, "
                "and before it loaded the model; its own error is printed above. Each "
                "worker imports that script: put the calls of a script under the line "
                'if __name__ == "__main__":'
            )
        raise WorkerError(
            f"A worker process (pid {process.pid}) {end} {_work(chunk)}. If memory ran "
            "out (see the system's log), use fewer workers."
        )

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


def _work(chunk: list[Entry] | None) -> str:
    if chunk is None:
        return "while it loaded the model"
    return f"at the records from {chunk[0].number} to {chunk[-1].number}"


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
    connection: Connection,
    path: str | os.PathLike[str],
    options: dict[str, Any],
    abstain_below: float | None = None,
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
    abstain_below : float, optional
        Option of :meth:`emoclf.classifier.Classifier.predict`.
    """
    try:
        if needs_tensorflow(path):
            load_tensorflow()
        classifier = load_classifier(path, **options)
        connection.send(Labels(classifier.label_names, classifier.multilabel))
        while True:
            texts = connection.recv()
            connection.send(predict_texts(classifier, texts, abstain_below))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except EmoclfError as error:
        connection.send(error)
    except Exception as error:  # noqa: BLE001 - raised in the other process
        message = f"{type(error).__name__}: {error}"
        connection.send(Failure(message, traceback.format_exc()))
