"""Long runs: their progress, and their end by a signal."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

logger = logging.getLogger(__name__)


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
def step_bars(
    args: argparse.Namespace, *steps: str
) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each step, and yield a function of a step, its state and total."""
    from rich.console import Console
    from rich.progress import Progress

    bars = Progress(console=Console(stderr=True), transient=True, disable=args.quiet)
    with bars:
        tasks = {step: bars.add_task(step, total=None) for step in steps}
        yield lambda step, done, total: bars.update(
            tasks[step], completed=done, total=total
        )


@contextmanager
def continued_by_the_same_command(work: str, folder: object) -> Iterator[None]:
    """Say after Ctrl-C that the same command continues the work in a folder."""
    try:
        yield
    except KeyboardInterrupt:
        if folder:
            text = "The %s is stopped; the same command continues it (%s)."
            logger.warning(text, work, folder)
        raise


@contextmanager
def continued_with_resume(
    args: argparse.Namespace, has_checkpoint: Callable[[], bool]
) -> Iterator[None]:
    """Say after Ctrl-C that ``--resume`` continues the run, if it has a checkpoint.

    With ``--overwrite`` the checkpoint may be that of an earlier run.
    """
    try:
        yield
    except KeyboardInterrupt:
        if (args.resume or not args.overwrite) and has_checkpoint():
            logger.warning("The same command with --resume continues the run.")
        raise


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
