"""Compile with numba, and keep what was compiled on disk.

Importing this file imports numba (half a second), so nothing does so for one answer.
"""

from __future__ import annotations

from typing import Any

from emoclf.errors import setting
from emoclf.optional import require

numba = require("numba", extra="fast", needed_by=setting("engine", "numba"))


def compiled(**options: Any) -> Any:
    """Return a decorator; numba's options are those given."""

    def compile_it(function: Any) -> Any:
        try:
            # Kept beside this file, or in the user's cache if that cannot be written.
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            # Nor can that: numba finds no place, and each process compiles anew.
            return numba.njit(nogil=True, **options)(function)

    return compile_it
