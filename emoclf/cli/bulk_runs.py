"""Runs over whole files: their progress, and their end by a signal."""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any


def progress_bar(
    args: argparse.Namespace, path: str | None, *, shows_output: bool = False
) -> Any:
    """Return a context with a bar, or None if a bar would disturb or is not wanted."""
    # A bar would disturb texts or labels on the same terminal.
    writes_there = shows_output and sys.stdout.isatty()
    reads_there = path in (None, "-") and sys.stdin.isatty()
    is_hidden = args.quiet or writes_there or reads_there or not sys.stderr.isatty()
    # A folded export needs NumPy only; without rich there is no bar.
    if is_hidden or importlib.util.find_spec("rich") is None:
        return nullcontext()
    from emoclf.bulk.progress_bar import Bar

    return Bar()


@contextmanager
def terminated_cleanly() -> Iterator[None]:
    """Remove unfinished files when SIGTERM or SIGHUP ends this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = {
        number: signal.signal(number, lambda number, _: sys.exit(128 + number))
        # Windows has no SIGHUP; nohup lets it be ignored.
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None))
        if number is not None and signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
