"""A search as TensorBoard's HParams tab shows it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from emoclf.files import new_folder
from emoclf.runtime import load_tensorflow

from ..results.objective import Objective
from ..results.outcome import Outcome
from ..results.ranking import scored
from .search_report import shown

SECONDS = "seconds"


def write_hparams(
    outcomes: Sequence[Outcome], objective: Objective, folder: Path
) -> list[Path]:
    """Write a run for each trial, to be shown by ``tensorboard --logdir FOLDER``.

    A run that is there already is replaced, so the same search can be written as often
    as it grows. No description of the whole experiment is written: TensorBoard reads
    the settings and figures off the runs.

    Parameters
    ----------
    outcomes : sequence of Outcome
        A trial without a score has its settings and seconds only.
    objective : Objective
    folder : Path

    Returns
    -------
    runs : list of Path
        ``folder/trial-001`` and so on.
    """
    load_tensorflow()
    runs = []
    for o in outcomes:
        name = f"trial-{o.number:03d}"
        with new_folder(folder / name) as run:
            _write_run(run, name, o, objective)
        runs.append(folder / name)
    return runs


def _write_run(run: Path, name: str, o: Outcome, objective: Objective) -> None:
    import tensorflow as tf

    api = import_module("tensorboard.plugins.hparams.api")
    # Closed here, since the folder is renamed afterwards.
    writer = tf.summary.create_file_writer(str(run))
    with writer.as_default():
        values = {key: _plain(value) for key, value in o.values.items()}
        # Trials of equal settings would be one under TensorBoard's own name for them.
        api.hparams({**values, "status": o.status}, trial_id=name)
        if scored([o]):
            tf.summary.scalar(objective.name, o.score(objective.name), step=0)
        tf.summary.scalar(SECONDS, o.seconds, step=0)
    writer.close()


def _plain(value: Any) -> bool | int | float | str:
    """Return what HParams can hold: numbers and texts as they are, the rest as text."""
    return value if isinstance(value, bool | int | float | str) else shown(value)
