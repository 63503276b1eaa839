"""Compile functions with numba, and keep the result on disk.

Importing this module imports numba, which takes half a second, so nothing imports it to
predict one text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from emoclf.errors import setting
from emoclf.optional import require

numba = require("numba", extra="fast", needed_by=setting("engine", "numba"))

LOCK_FILE = "emoclf.lock"


def compiled(function: Any) -> Any:
    """Return a function compiled by numba; a decorator."""
    try:
        # On disk beside its file, or in the user's cache if that is read-only.
        dispatcher = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # Neither can be written: each process compiles anew.
        return numba.njit(nogil=True)(function)
    _lock_cache(dispatcher)
    return dispatcher


def _lock_cache(dispatcher: Any) -> None:
    """Let one process at a time use the files of a function's cache.

    numba writes the index before the code that it names, so that another process would
    run what the file contained before: code for other types, or of an older version.
    """
    cache: Any = getattr(dispatcher, "_cache", None)
    for name in ("load_overload", "save_overload"):
        if hasattr(cache, name):
            lock = _lock(os.path.join(cache.cache_path, LOCK_FILE))
            setattr(cache, name, lock(getattr(cache, name)))


@contextmanager
def _lock(path: str) -> Iterator[None]:
    """Hold the lock of a file, where files can be locked; also decorates functions."""
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl  # Windows has none.

            stream = stack.enter_context(open(path, "ab"))
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
