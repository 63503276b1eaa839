"""Predictions of several teachers, with a progress bar on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from emoclf.distillation.stored_arrays import StoredTexts
from emoclf.distillation.teacher_predictions import (
    Progress as OnProgress,
)
from emoclf.distillation.teacher_predictions import (
    in_order_of,
    teacher_probabilities,
)
from emoclf.distillation.teachers import Teacher


def predict_all(
    teachers: Sequence[Teacher],
    texts: StoredTexts,
    folder: Path,
    *,
    label_names: Sequence[str],
    progress: OnProgress | None = None,
    verbose: bool = True,
) -> list[Any]:
    """Return each teacher's probabilities, with columns in the order of the labels.

    Parameters
    ----------
    teachers : sequence of Teacher
    texts : StoredTexts
    folder : Path
        Folder that keeps the predictions.
    label_names : sequence of str
    progress : callable, optional
        Function of a teacher's name, the number of predicted texts, and of all texts.
        Default: a bar on a terminal.
    verbose : bool, default=True
        Whether to show the bar.
    """
    with TeacherBar(shown=verbose and progress is None) as bar:
        show = progress or bar.show
        return [
            in_order_of(
                teacher_probabilities(folder, one, texts, show), one, label_names
            )
            for one in teachers
        ]


class TeacherBar(Progress):
    """A bar with the share of the predicted texts, the speed and the time left.

    Parameters
    ----------
    shown : bool
        Draw it, if standard error is a terminal.
    """

    def __init__(self, *, shown: bool) -> None:
        console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[speed]:,.0f} texts/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            disable=not (shown and console.is_terminal),
        )
        self._starts: dict[str, tuple[Any, float, int]] = {}

    def show(self, name: str, done: int, total: int) -> None:
        """Move the bar of a teacher."""
        if name not in self._starts:
            task = self.add_task(f"predictions of {name}", total=total, speed=0.0)
            self._starts[name] = task, time.perf_counter(), done
        task, start, before = self._starts[name]
        speed = (done - before) / max(time.perf_counter() - start, 1e-9)
        self.update(task, completed=done, speed=speed, visible=done < total)
