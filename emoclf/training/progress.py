"""Progress of a training, on the standard error stream."""

from __future__ import annotations

import logging
import sys
import time
from importlib import import_module
from typing import Any, TextIO

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from emoclf.display import html_lines, printable
from emoclf.doctor.findings import Finding
from emoclf.evaluation.metric_names import METRICS, MONITORS, ONE_LABEL

logger = logging.getLogger(__name__)

#: Seconds between two changes of the status in a notebook.
STATUS_SECONDS = 0.3
SHOWN = {f"val_{name}": METRICS[name] for name in MONITORS}


class _Console(Console):
    """Console that falls silent, and does not end the training, on a broken pipe."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class TrainingProgress(keras.callbacks.Callback):
    """Metrics of each epoch, and on a terminal a bar with the time left.

    A file or a pipe gets one line for each epoch; a notebook gets them in one output,
    with the share of the epochs that are done.

    Parameters
    ----------
    epochs : int
        Largest number of epochs; early stopping may end the training before.
    stream : text stream, default=sys.stderr
    log_findings : bool, default=False
        Log findings as warnings instead of printing them.
    """

    def __init__(
        self, epochs: int, *, stream: TextIO | None = None, log_findings: bool = False
    ) -> None:
        super().__init__()
        self.epochs = epochs
        #: Kind of labels, which decides the names of metrics.
        self.task = ONE_LABEL
        self.log_findings = log_findings
        self.console = _Console(file=stream or sys.stderr, highlight=False)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("at most"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self.console,
            transient=True,
            # Results go to standard output, also while a bar is drawn.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self.console.is_terminal,
        )
        self._task: Any = None
        self._notebook: _NotebookOutput | None = None
        if stream is None and self.console.is_jupyter:
            self._notebook = _NotebookOutput()
        self._steps = 1
        self._epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._steps = int(self.params.get("steps") or 1)
        self._task = self.bar.add_task("training", total=self.epochs * self._steps)
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self.bar.update(
            self._task,
            completed=epoch * self._steps,
            description=f"epoch {epoch + 1}/{self.epochs}",
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update(self._task, completed=self._epoch * self._steps + batch + 1)
        if self._notebook is not None:
            task = self.bar.tasks[0]
            self._notebook.show_status(f"{task.description}: {task.percentage:.0f} %")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        width = len(str(self.epochs))
        parts = [f"epoch {epoch + 1:>{width}}/{self.epochs}"]
        parts.append(f"loss {logs.get('loss', float('nan')):.3f}")
        parts += [
            f"{metric.label_for(self.task)} {logs[name]:.3f}"
            for name, metric in SHOWN.items()
            if name in logs
        ]
        self._print("  ".join(parts))

    def on_finding(self, finding: Finding) -> None:
        """Print a finding above the bar, or log it."""
        if self.log_findings:
            logger.warning("%s", finding)
            return
        for line in finding.lines():
            self._print(line)

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.stop()
        if self._notebook is not None:
            self._notebook.show_status("", now=True)

    def _print(self, line: str) -> None:
        if self._notebook is not None:
            self._notebook.add(line)
        else:
            self.console.print(
                printable(line, lines=True), soft_wrap=True, markup=False
            )


class _NotebookOutput:
    """Lines of text and a status in one output of a notebook, which is replaced."""

    def __init__(self) -> None:
        # A notebook has IPython; it is no dependency of this package.
        self._display = import_module("IPython.display")
        self._handle: Any = None
        self._lines: list[str] = []
        self._shown = 0.0

    def add(self, line: str) -> None:
        """Add a line that stays."""
        self._lines.append(line)
        self.show_status("", now=True)

    def show_status(self, status: str, *, now: bool = False) -> None:
        """Show the lines and a status below them, not too often."""
        if not now and time.monotonic() - self._shown < STATUS_SECONDS:
            return
        self._shown = time.monotonic()
        content = self._display.HTML(html_lines(filter(None, [*self._lines, status])))
        if self._handle is None:
            self._handle = self._display.display(content, display_id=True)
        else:
            self._handle.update(content)
