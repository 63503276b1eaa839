"""Log output and number of threads of TensorFlow in this process."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emoclf.errors import ModelError, SettingsError, setting

if TYPE_CHECKING:
    # `import emoclf` comes here, and the folded classifier starts without logging.
    import logging

#: Environment variables of OpenMP, OpenBLAS, MKL, numba and TensorFlow.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)

#: Environment variable of the secret that the chief of a search and its workers share.
TOKEN_VARIABLE = "EMOCLF_TOKEN"
TENSORFLOW = "tensorflow"
OTHER_BACKENDS = ("jax", "torch", "openvino")


def wrong_backend(name: str) -> str:
    """Return the message about a Keras that runs on another backend."""
    return (
        f"Keras runs on the backend {name!r}, and emoclf needs {TENSORFLOW!r}. Set the "
        f"environment variable KERAS_BACKEND={TENSORFLOW} before Keras is imported, or "
        'change "backend" in ~/.keras/keras.json.'
    )


_tensorflow_ran = False
_forked_afterwards = False


def check_fork() -> None:
    """Call before every use of TensorFlow: raise an error instead of waiting for ever.

    A process that was forked after its parent had used TensorFlow has none of the
    parent's threads, for which TensorFlow waits.

    Raises
    ------
    ModelError
    """
    global _tensorflow_ran
    if _forked_afterwards:
        raise ModelError(
            "This process was forked after its parent had used TensorFlow, which "
            "cannot run in it. Load the classifier after the fork, start processes by "
            "'spawn', or use the export format folded, which works after a fork."
        )
    if not _tensorflow_ran:
        _tensorflow_ran = True
        if hasattr(os, "register_at_fork"):  # Windows has no fork
            os.register_at_fork(after_in_child=_mark_fork)


def _mark_fork() -> None:
    global _forked_afterwards
    _forked_afterwards = True


def load_tensorflow() -> None:
    """Import TensorFlow for the command line, without its log lines.

    Import errors are still raised.
    """
    # A variable or keras.json of another project may name another backend.
    os.environ["KERAS_BACKEND"] = TENSORFLOW
    imported_before = TENSORFLOW in sys.modules
    import_tensorflow()
    with native_lines_hidden(), garbage_collection_paused():
        # Some lines come with the first device, not with the import.
        import keras  # noqa: F401
        import tensorflow as tf

        tf.constant(0)
    hide_retracing()
    if not imported_before:
        # At its end Python would look through all imported objects several times.
        gc.freeze()


def import_tensorflow() -> None:
    """Import TensorFlow without its log lines about oneDNN and missing graphics cards.

    It writes them to file descriptor 2 before it reads its own log level. Nothing
    changes in a program that has imported TensorFlow itself.
    """
    if TENSORFLOW in sys.modules:
        return
    # 3 also hides "oneDNN supports DT_BOOL only on …", which is harmless.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_lines_hidden(), garbage_collection_paused():
        import tensorflow  # noqa: F401
    hide_retracing()


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Pause Python's garbage collection.

    During the import of a large package it takes a fifth of the time and finds nothing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def hide_retracing() -> None:
    """Hide TensorFlow's warnings about repeated tracing.

    Each network is traced once, as it must be; TensorFlow counts all networks together.
    """
    import tensorflow as tf

    tf.get_logger().addFilter(_is_no_retracing)


def _is_no_retracing(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in record.getMessage()


@contextmanager
def native_lines_hidden() -> Iterator[None]:
    """Discard the output of compiled code on file descriptor 2."""
    sys.stderr.flush()
    stderr = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def available_cores() -> int:
    """Return the number of cores that this process may use.

    A batch system may limit it.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_of_threads(n_processes: int) -> dict[str, str]:
    """Return the environment variables with which each process uses its share of cores.

    Variables that the user has set are left out.

    Parameters
    ----------
    n_processes : int >= 1
        Number of processes that share the cores.
    """
    variables = with_threads(max(1, available_cores() // n_processes))
    return {name: value for name, value in variables.items() if name not in os.environ}


def with_threads(threads: int) -> dict[str, str]:
    """Return the environment variables with which a process uses ``threads`` threads.

    Raises
    ------
    SettingsError
        If ``threads`` is less than 1.
    """
    if threads < 1:
        raise SettingsError(
            f"A process needs at least one thread. Got {setting('threads', threads)}."
        )
    check_count("threads", threads)
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def check_count(name: str, count: int) -> None:
    """Check that a number of processes or threads is not absurd for this machine.

    Raises
    ------
    SettingsError
    """
    cores = available_cores()
    if count > (most := max(64, 4 * cores)):
        raise SettingsError(
            f"{setting(name)} must be at most {most} on a machine with {cores} cores. "
            f"Got {count} instead."
        )


def open_closed_streams() -> None:
    """Connect standard streams that are closed (``>&-``) with the null device.

    The next file to be opened would become that stream, and get what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            os.set_inheritable(number, True)  # for worker processes
            stream = os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8")
            setattr(sys, name, stream)
