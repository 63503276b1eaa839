"""How many threads the libraries of a process may use: they read it when they load."""

from __future__ import annotations

import os

from emoclf.errors import SettingsError

#: Read by OpenMP, OpenBLAS, MKL, numba and TensorFlow.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


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
            f"A process needs at least one thread. Got threads={threads!r}."
        )
    return dict.fromkeys(THREADS, str(threads))
