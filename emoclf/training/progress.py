"""Progress of a training, on the standard error stream."""

from __future__ import annotations

import sys
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

from emoclf.doctor.findings import Finding
from emoclf.evaluation.metric_names import METRICS, MONITORS

SHOWN = {f"val_{name}": METRICS[name].label for name in MONITORS}


class _Console(Console):
    """Console that falls silent, and does not end the training, on a broken pipe."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class TrainingProgress(keras.callbacks.Callback):
    """Metrics of each epoch, and on a terminal a bar with the time left.

    A file or a pipe gets one line for each epoch.

    Parameters
    ----------
    epochs : int
        Largest number of epochs; early stopping may end the training before.
    stream : text stream, default=sys.stderr
    """

    def __init__(self, epochs: int, *, stream: TextIO | None = None) -> None:
        super().__init__()
        self.epochs = epochs
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

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        width = len(str(self.epochs))
        parts = [f"epoch {epoch + 1:>{width}}/{self.epochs}"]
        parts.append(f"loss {logs.get('loss', float('nan')):.3f}")
        parts += [f"{SHOWN[name]} {logs[name]:.3f}" for name in SHOWN if name in logs]
        self.console.print("  ".join(parts), soft_wrap=True)

    def on_finding(self, finding: Finding) -> None:
        """Print a finding above the bar."""
        for line in finding.lines():
            self.console.print(line, soft_wrap=True, markup=False)

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.stop()
