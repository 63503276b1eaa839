"""The trials of a search for TensorBoard's HParams tab."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from emoclf.files import new_folder
from emoclf.runtime import load_tensorflow

from ..results.objective import Objective
from ..results.outcome import Outcome
from ..results.ranking import scored
from .formatting import format_value


def write_hparams(
    outcomes: Sequence[Outcome], objective: Objective, folder: Path
) -> list[Path]:
    """Write a run for each trial, for ``tensorboard --logdir FOLDER``.

    An existing run is replaced, so a growing search can be written again and again. No
    description of the whole experiment is written, because TensorBoard derives it from
    the runs.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Trials; one without a score has its settings and seconds only.
    objective : Objective
    folder : Path

    Returns
    -------
    runs : list of Path
        ``folder/trial-001`` and so on.
    """
    load_tensorflow()
    runs = []
    for outcome in outcomes:
        name = f"trial-{outcome.number:03d}"
        with new_folder(folder / name) as run:
            _write_run(run, name, outcome, objective)
        runs.append(folder / name)
    return runs


def _write_run(run: Path, name: str, outcome: Outcome, objective: Objective) -> None:
    import tensorflow as tf

    api = import_module("tensorboard.plugins.hparams.api")
    # HParams takes numbers and texts only.
    values = {
        key: value if isinstance(value, int | float | str) else format_value(value)
        for key, value in outcome.values.items()
    }
    writer = tf.summary.create_file_writer(str(run))
    with writer.as_default():
        # TensorBoard's own identifier is the same for trials with equal settings.
        api.hparams({**values, "status": outcome.status}, trial_id=name)
        if scored([outcome]):
            tf.summary.scalar(objective.name, outcome.score(objective.name), step=0)
        tf.summary.scalar("seconds", outcome.seconds, step=0)
    # Closed before the folder is renamed.
    writer.close()
