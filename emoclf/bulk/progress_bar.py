"""A progress bar on standard error, for a terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from emoclf.bulk.file_prediction import Progress as State


class StderrBar(Progress):
    """A bar with the share that is done, more columns, and the time left.

    Lines on standard error are printed above the bar, unbroken.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            *columns,
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr, highlight=False, soft_wrap=True),
            transient=True,
            # Results are written to standard output while a bar is drawn.
            redirect_stdout=False,
        )


class Bar(StderrBar):
    """A bar with the number of texts, the share of the file, and the time left."""

    def __init__(self) -> None:
        super().__init__()
        self.add_task("loading the model", total=None)

    def show(self, state: State) -> None:
        """Move the bar."""
        self.update(
            self.task_ids[0],
            description=f"{state.predicted:,} texts",
            completed=state.done,
            total=state.total,
        )
