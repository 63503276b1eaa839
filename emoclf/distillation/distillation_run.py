"""A distillation as ``emoclf distil`` does it: audit, distil, evaluate and save."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.distillation.distil import distil_classifier
from emoclf.distillation.distillation_folder import DistillationFolder
from emoclf.distillation.distillation_settings import DistillationSettings
from emoclf.settings import RunSettings
from emoclf.workflow.train import checkpoint_folder
from emoclf.workflow.training_run import (
    TrainingRun,
    audited,
    check_start,
    evaluated_run,
    log_inputs,
    save_run,
)

logger = logging.getLogger(__name__)


def run_distillation(
    dataset: Dataset,
    split: Split,
    settings: RunSettings,
    *,
    output: str | os.PathLike[str],
    teacher: Any = None,
    teacher_labels: Any = None,
    teacher_encoder: str | os.PathLike[str] | None = None,
    unlabelled: Any = None,
    out_of_fold: str | os.PathLike[str] | None = None,
    distillation: DistillationSettings | None = None,
    predictions: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = True,
) -> TrainingRun:
    """Audit the data, distil a student, evaluate and save it.

    Parameters
    ----------
    dataset : Dataset
        Labelled texts to audit.
    split : Split
    settings : RunSettings
        Settings of the student.
    output : path
        Bundle to write. The state of the run is beside it while it is unfinished.
    teacher, teacher_labels, teacher_encoder, unlabelled, out_of_fold, distillation, \
predictions
        As in :func:`~emoclf.distillation.distil.distil_classifier`.
    overwrite : bool, default=False
        Whether to replace an older bundle, and to begin an interrupted training again;
        the teachers' predictions for the same texts are kept.
    resume : bool, default=False
        Whether to resume an interrupted run.
    callbacks : sequence of keras.callbacks.Callback
    verbose : bool, default=True

    Returns
    -------
    run : TrainingRun

    Raises
    ------
    EmoclfError
        If the output cannot be written or a run cannot be resumed (before any work),
        or if the data, the texts or the teachers cannot be used.
    """
    check_distillation(output, overwrite=overwrite, resume=resume)
    folder = DistillationFolder(checkpoint_folder(output))
    if not resume:
        folder.discard_stages()
    audit = audited(dataset, settings)
    student = distil_classifier(
        split,
        settings=settings,
        teacher=teacher,
        teacher_labels=teacher_labels,
        teacher_encoder=teacher_encoder,
        unlabelled=unlabelled,
        out_of_fold=out_of_fold,
        distillation=distillation,
        callbacks=callbacks,
        checkpoint=folder.path,
        predictions=predictions,
        resume=resume,
        on_prepared=log_inputs,
        verbose=1 if verbose else 0,
    )
    training = evaluated_run(student, dataset, split, audit)
    return save_run(
        training, output, overwrite=overwrite, remove_checkpoint=folder.remove
    )


def check_distillation(
    output: str | os.PathLike[str], *, overwrite: bool, resume: bool
) -> None:
    """Check that a distillation can begin, as ``check_start`` does for a training.

    Raises
    ------
    ResumeError, BundleError
    """
    folder = DistillationFolder(Path(checkpoint_folder(output)))
    check_start(output, overwrite=overwrite, resume=resume, interrupted=folder.exists())
