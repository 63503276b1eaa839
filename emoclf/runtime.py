"""The process around a computation: TensorFlow's log output, number of threads."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from emoclf.errors import SettingsError, setting

#: Read by OpenMP, OpenBLAS, MKL, numba and TensorFlow.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def load_tensorflow() -> None:
    """Import TensorFlow without the lines that it writes past Python's streams.

    It announces oneDNN and missing graphics cards on file descriptor 2 before it reads
    its own log level. What goes wrong in the import is still raised.
    """
    # 3 also hides "oneDNN supports DT_BOOL only on …", an error that is none.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_lines_hidden():
        import tensorflow as tf

        # The announcements come with the first device, not with the import.
        tf.constant(0)
    hide_retracing()


def hide_retracing() -> None:
    """Hide TensorFlow's advice against tracing the same code again and again.

    Each network is traced once, as it has to be; TensorFlow counts them all together.
    """
    import tensorflow as tf

    tf.get_logger().addFilter(_says_more)


def _says_more(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in record.getMessage()


@contextmanager
def native_lines_hidden() -> Iterator[None]:
    """Hide what compiled code writes to file descriptor 2; errors are still raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def available_cores() -> int:
    """Return the cores that this process may use, which a batch system may limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_of_threads(n_processes: int) -> dict[str, str]:
    """Return what each of several processes finds in its environment.

    What the user has set there is not changed.

    Parameters
    ----------
    n_processes : int >= 1
        That share the cores.
    """
    threads = max(1, available_cores() // n_processes)
    known = {name for name in THREADS if name in os.environ}
    return {k: v for k, v in with_threads(threads).items() if k not in known}


def with_threads(threads: int) -> dict[str, str]:
    """Return the environment of a process that uses so many threads.

    Raises
    ------
    SettingsError
        If there are none.
    """
    if threads < 1:
        raise SettingsError(
            f"A process needs at least one thread. Got {setting('threads', threads)}."
        )
    return dict.fromkeys(THREADS, str(threads))
