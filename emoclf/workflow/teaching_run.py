"""Fine-tune, evaluate and save a teacher, as ``emoclf teach --fine-tune`` does."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emoclf.bundle.described_folder import FINE_TUNED
from emoclf.contextual.fine_tune import (
    fine_tune_encoder,
    has_checkpoint,
    remove_checkpoint,
)
from emoclf.contextual.fine_tune_settings import FineTuneSettings
from emoclf.contextual.trainer_run import Progress
from emoclf.contextual.transformer_classifier import TransformerClassifier
from emoclf.datasets.split import Split
from emoclf.evaluation.evaluate import evaluate_classifier
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.settings import DataSettings
from emoclf.workflow.train import checkpoint_folder
from emoclf.workflow.training_run import check_start

logger = logging.getLogger(__name__)


class TeachingRun(NamedTuple):
    """Everything that one fine-tuning produced.

    Parameters
    ----------
    classifier : TransformerClassifier
    report : EvaluationReport
        Metrics beside those of the baselines, on the validation and test set.
    path : Path
        Folder of the saved classifier.
    metrics : dict
        Metrics in its description.
    """

    classifier: TransformerClassifier
    report: EvaluationReport
    path: Path
    metrics: Mapping[str, Any]


def run_teaching(
    split: Split,
    encoder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: FineTuneSettings | Mapping[str, Any] | None = None,
    *,
    data_settings: DataSettings | None = None,
    seed: int = 0,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> TeachingRun:
    """Fine-tune an encoder on a training set, evaluate and save it.

    Parameters
    ----------
    split : Split
        Only its training set is used for the fine-tuning.
    encoder : str or path
        Folder of an encoder, or its name on the Hugging Face Hub.
    output : path
        Folder to write. The checkpoint is beside it until it is written.
    settings, data_settings, seed, progress
        Arguments of :func:`emoclf.contextual.fine_tune.fine_tune_encoder`.
    overwrite : bool, default=False
        Whether to replace an older classifier, and to discard an interrupted run.
    resume : bool, default=False
        Whether to resume an interrupted run.

    Returns
    -------
    run : TeachingRun

    Raises
    ------
    EmoclfError
        If the output cannot be written or a run cannot be resumed (before any work),
        or if the data or the encoder cannot be used.
    """
    checkpoint = check_teaching(output, overwrite=overwrite, resume=resume)
    classifier = fine_tune_encoder(
        split.train,
        encoder,
        settings,
        data_settings=data_settings,
        seed=seed,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    logger.info("Evaluating the fine-tuned encoder, and baselines on the same texts.")
    report = evaluate_classifier(classifier, split)
    metrics = {
        **classifier.fine_tuning.metrics,
        **report.to_dict(),
        "source": os.path.basename(split.train.source),
        "texts": {name: len(part) for name, part in split.parts().items()},
    }
    path = classifier.save(output, overwrite=overwrite, metrics=metrics)
    remove_checkpoint(checkpoint)
    return TeachingRun(classifier, report, path, metrics)


def check_teaching(
    output: str | os.PathLike[str], *, overwrite: bool, resume: bool
) -> Path:
    """Check that a run can begin, and return the folder of its checkpoint.

    Raises
    ------
    ResumeError, BundleError
        As of ``check_start``.
    """
    interrupted = has_checkpoint(checkpoint_folder(FINE_TUNED.place(output)))
    return check_start(
        output,
        overwrite=overwrite,
        resume=resume,
        interrupted=interrupted,
        kind=FINE_TUNED,
    )
