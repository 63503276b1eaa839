"""A progress bar on standard error, for a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from emoclf.bulk.file_prediction import Progress as State


class _LinesAboveBar:
    """A stream whose lines are printed above the bar, unchanged and unbroken."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> None:
        """Print a handler's message."""
        self._console.print(text.rstrip("\n"), soft_wrap=True, markup=False)

    def flush(self) -> None:
        """Do nothing: the console flushes."""


class Bar:
    """A bar with the number of texts, the share of the file, and the time left.

    Log messages are printed above the bar.
    """

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr, highlight=False),
            transient=True,
            # Results are written to standard output while a bar is drawn.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("loading the model", total=None)
        self._streams: list[tuple[logging.StreamHandler, object]] = []

    def __enter__(self) -> Self:
        self._bar.start()
        for handler in logging.getLogger("emoclf").handlers:
            if isinstance(handler, logging.StreamHandler):
                before = handler.setStream(_LinesAboveBar(self._bar.console))
                self._streams.append((handler, before))
        return self

    def __exit__(self, *error: object) -> None:
        for handler, before in self._streams:
            if before is not None:
                handler.setStream(before)
        self._bar.stop()

    def update(self, state: State) -> None:
        """Move the bar."""
        self._bar.update(
            self._task,
            description=f"{state.predicted:,} texts",
            completed=state.done,
            total=state.total,
        )
