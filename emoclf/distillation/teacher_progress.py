"""Predictions of several teachers, with a progress bar on standard error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import TextColumn

from emoclf.bulk.progress_bar import StderrBar
from emoclf.distillation.stored_arrays import StoredTexts
from emoclf.distillation.teacher_predictions import (
    OrderedPredictions,
    Progress,
    teacher_probabilities,
)
from emoclf.distillation.teachers import Teacher


def predict_all(
    teachers: Sequence[Teacher],
    texts: StoredTexts,
    folder: Path,
    *,
    label_names: Sequence[str],
    progress: Progress | None = None,
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
            OrderedPredictions(
                teacher_probabilities(folder, one, texts, show), one, label_names
            )
            for one in teachers
        ]


class TeacherBar(StderrBar):
    """A bar with the share of the predicted texts, the speed and the time left.

    Parameters
    ----------
    shown : bool
        Draw it, if standard error is a terminal.
    """

    def __init__(self, *, shown: bool) -> None:
        super().__init__(TextColumn("{task.fields[speed]:,.0f} texts/s"))
        self.disable = not (shown and self.console.is_terminal)

    def show(self, name: str, done: int, total: int) -> None:
        """Move the bar of a teacher."""
        title = f"predictions of {name}"
        if not self.tasks or self.tasks[-1].description != title:
            self.add_task(title, total=total, before=done, speed=0.0)
        task = self.tasks[-1]
        speed = (done - task.fields["before"]) / max(task.elapsed or 0, 1e-9)
        self.update(task.id, completed=done, speed=speed, visible=done < total)
