"""A distillation as ``emoclf distil`` does it: audit, distil, evaluate and save."""

from __future__ import annotations

import os
from typing import Any

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.distillation.distil import distil_classifier
from emoclf.distillation.distillation_folder import DistillationFolder
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


def run_distillation(
    dataset: Dataset,
    split: Split,
    settings: RunSettings,
    *,
    output: str | os.PathLike[str],
    overwrite: bool = False,
    resume: bool = False,
    verbose: bool = True,
    **inputs: Any,
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
    overwrite : bool, default=False
        Whether to replace an older bundle, and to begin an interrupted training again;
        the teachers' predictions for the same texts are kept.
    resume : bool, default=False
        Whether to resume an interrupted run.
    verbose : bool, default=True
    **inputs
        Teachers, texts, settings of the distillation and callbacks, as in
        :func:`~emoclf.distillation.distil.distil_classifier`.

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
        checkpoint=folder.path,
        resume=resume,
        on_prepared=log_inputs,
        verbose=1 if verbose else 0,
        **inputs,
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
    folder = DistillationFolder(checkpoint_folder(output))
    check_start(output, overwrite=overwrite, resume=resume, interrupted=folder.exists())
