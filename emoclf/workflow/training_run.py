"""A training run: audit, train, evaluate and save, as ``emoclf train`` does."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from emoclf.bundle.bundle_folder import save_bundle
from emoclf.bundle.described_folder import BUNDLE, FolderKind
from emoclf.datasets.audit_report import AuditReport, report_contents
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.errors import ResumeError, setting
from emoclf.evaluation.evaluate import evaluate_classifier
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.settings import RunSettings
from emoclf.text.vocabulary import FIRST_TOKEN_ID
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.workflow.prepare import Prepared
from emoclf.workflow.train import checkpoint_folder, train_classifier
from emoclf.workflow.trained_classifier import TrainedClassifier

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingRun:
    """Everything that one training run produced.

    Parameters
    ----------
    trained : TrainedClassifier
        Classifier; its bundle contains the metrics of the report.
    split : Split
    audit : AuditReport
    report : EvaluationReport
    path : Path or None
        Folder of the saved bundle.
    """

    trained: TrainedClassifier
    split: Split
    audit: AuditReport
    report: EvaluationReport
    path: Path | None


def run_training(
    dataset: Dataset,
    split: Split,
    settings: RunSettings,
    *,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    refit: bool = False,
) -> TrainingRun:
    """Audit the data, train, evaluate and save.

    Parameters
    ----------
    dataset : Dataset
        Texts to audit.
    split : Split
    settings : RunSettings
    output : path, optional
        Bundle to write. The checkpoint is beside it while the training runs.
    overwrite : bool, default=False
        Whether to replace an older bundle, and to discard an interrupted run.
    resume : bool, default=False
        Whether to resume an interrupted run.
    callbacks : sequence of keras.callbacks.Callback
    refit : bool, default=False
        Whether the saved classifier is fitted again, on all texts of the split.

    Returns
    -------
    run : TrainingRun

    Raises
    ------
    EmoclfError
        If the output cannot be written or a run cannot be resumed (before any work),
        or if the data cannot be used.
    """
    checkpoint = None
    if output is not None:
        checkpoint = check_start(output, overwrite=overwrite, resume=resume)
    audit = audited(dataset, settings)
    trained = train_classifier(
        split.train,
        split.valid,
        settings,
        callbacks=callbacks,
        checkpoint=checkpoint,
        resume=resume,
        on_prepared=log_inputs,
        verbose=0,
    )
    training = evaluated_run(trained, dataset, split, audit, refit=refit)
    if output is None or checkpoint is None:
        return training
    return save_run(
        training,
        output,
        overwrite=overwrite,
        remove_checkpoint=CheckpointFolder(checkpoint, {}).remove,
    )


def audited(dataset: Dataset, settings: RunSettings) -> AuditReport:
    """Count and log the contents of a dataset."""
    # The split has grouped the texts at this threshold already.
    near = settings.data.near_duplicates
    audit = report_contents(dataset, near_duplicates=near if near < 1 else 0.8)
    if dataset.has_texts:
        for line in audit.lines():
            logger.info("%s", line)
    return audit


def evaluated_run(
    trained: TrainedClassifier,
    dataset: Dataset,
    split: Split,
    audit: AuditReport,
    *,
    refit: bool = False,
) -> TrainingRun:
    """Evaluate a trained classifier and baselines; see :func:`run_training`."""
    logger.info("Evaluating the network, and baselines on the same texts.")
    report = evaluate_classifier(trained.predictor, split)
    trained = trained.with_metrics(
        split, report, source=os.path.basename(dataset.source), audit=audit.to_dict()
    )
    if refit and trained.result.ended != "interrupted":
        trained = replace(trained, split=split).refit()
    return TrainingRun(trained, split, audit, report, None)


def save_run(
    training: TrainingRun,
    output: str | os.PathLike[str],
    *,
    overwrite: bool,
    remove_checkpoint: Callable[[], None],
) -> TrainingRun:
    """Save the bundle of a run; an interrupted one keeps its checkpoint."""
    path = save_bundle(training.trained.bundle, output, overwrite=overwrite)
    if training.trained.result.ended == "interrupted":
        logger.warning(
            "The training was interrupted. Resume it with %s.", _resume_and_overwrite()
        )
    else:
        remove_checkpoint()
    return replace(training, path=path)


def check_start(
    output: str | os.PathLike[str],
    *,
    overwrite: bool,
    resume: bool,
    interrupted: bool | None = None,
    kind: FolderKind = BUNDLE,
) -> Path:
    """Check that a run can begin.

    Parameters
    ----------
    output : path
    overwrite, resume : bool
        Options of :func:`run_training`.
    interrupted : bool, optional
        Whether there is an interrupted run. Default: whether the output's checkpoint is
        that of a training.
    kind : FolderKind, default=BUNDLE
        Kind of the output.

    Returns
    -------
    checkpoint : Path
        Folder of the run's checkpoint.

    Raises
    ------
    ResumeError
        If there is an interrupted run and neither ``overwrite`` nor ``resume`` says
        what to do with it, or if the run to resume is finished.
    BundleError
        If the output exists, or cannot be written.
    """
    target = kind.place(output)
    checkpoint = checkpoint_folder(target)
    if interrupted is None:
        interrupted = CheckpointFolder(checkpoint, {}).exists()
    exists = target.exists()
    if resume and exists and not interrupted:
        raise ResumeError(
            f"{output} is finished; there is nothing to resume. Use it, or train "
            f"again with {setting('overwrite', True)} and without {setting('resume')}."
        )
    if exists and interrupted and not overwrite:
        raise ResumeError(
            f"{output} exists, and {checkpoint} contains an interrupted run that was "
            f"to replace it. Resume that run with {_resume_and_overwrite()}, start "
            f"again with {setting('overwrite', True)} alone, or choose another name."
        )
    kind.check_target(output, overwrite=overwrite)
    if resume and not interrupted:
        logger.info("There is no interrupted run at %s; a new one begins.", checkpoint)
    if interrupted and not (resume or overwrite):
        raise ResumeError(
            f"{checkpoint} contains an interrupted run. Resume it with "
            f"{setting('resume', True)}, or start again with "
            f"{setting('overwrite', True)}."
        )
    return checkpoint


def _resume_and_overwrite() -> str:
    return f"{setting('resume', True)} {setting('overwrite', True)}"


def log_inputs(prepared: Prepared) -> None:
    lengths = [len(ids) for ids in prepared.train.token_ids]
    if (inputs := prepared.inputs) is not None:
        logger.info(
            "The network takes vectors of %d dimensions%s: %.1f for each text in the "
            "mean.",
            inputs.dim,
            f" of the encoder {inputs.encoder}" if inputs.encoder else "",
            np.mean(lengths),
        )
        return
    n_cut = prepared.cut["train"]
    n_tokens = len(prepared.encoder.vocabulary) - FIRST_TOKEN_ID
    n_added = n_tokens - prepared.coverage.types if prepared.coverage else 0
    logger.info(
        "Vocabulary: %d tokens%s. Texts are cut after %d tokens: %d of %d training "
        "texts (%.1f %%); the mean length is %.1f tokens.",
        n_tokens,
        f", {n_added} of them from the vectors alone" if n_added else "",
        prepared.encoder.max_length,
        n_cut,
        len(lengths),
        100 * n_cut / max(1, len(lengths)),
        np.mean(lengths),
    )
    if prepared.coverage is not None:
        for line in prepared.coverage.lines():
            logger.info("%s", line)
