"""Compile functions with numba, and keep the result on disk.

Importing this module imports numba, which takes half a second, so nothing imports it to
predict one text.
"""

from __future__ import annotations

from typing import Any

from emoclf.errors import setting
from emoclf.optional import require

numba = require("numba", extra="fast", needed_by=setting("engine", "numba"))


def compiled(**options: Any) -> Any:
    """Return a decorator that compiles a function with these options of numba."""

    def decorate(function: Any) -> Any:
        try:
            # On disk beside this file, or in the user's cache if that is read-only.
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            # Neither can be written: each process compiles anew.
            return numba.njit(nogil=True, **options)(function)

    return decorate
