"""From a file to a saved and judged classifier: what ``emoclf train`` does."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from emoclf.bundle.bundle_folder import check_target, save_bundle
from emoclf.bundle.described_folder import BUNDLE
from emoclf.datasets.audit import AuditReport, audit_dataset
from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import Split, count_leaks, hold_out, split_dataset
from emoclf.errors import DataError, ResumeError, setting
from emoclf.evaluation.evaluate import evaluate_classifier
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.settings import DataSettings, RunSettings
from emoclf.text.vocabulary import FIRST
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.workflow.prepare import Prepared
from emoclf.workflow.train import TrainedClassifier, checkpoint_folder, train_classifier

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingRun:
    """What a job made.

    Parameters
    ----------
    trained : Trained
        Its bundle carries the report's figures.
    split : Split
    audit : AuditReport
    report : EvaluationReport
    path : Path or None
        Where the bundle was saved.
    """

    trained: TrainedClassifier
    split: Split
    audit: AuditReport
    report: EvaluationReport
    path: Path | None


def read_split(
    path: str | os.PathLike[str],
    settings: DataSettings,
    *,
    valid: str | os.PathLike[str] | None = None,
    test: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> tuple[Dataset, Split]:
    """Read a file, and split it as the user's own files leave to do.

    Parameters
    ----------
    path : path
    settings : DataSettings
    valid, test : path, optional
        The user's own parts. With ``valid`` alone nothing is split off: there is no
        test part. With ``test`` alone a validation part is held out.
    seed : int

    Returns
    -------
    dataset : Dataset
        What ``path`` holds.
    split : Split

    Raises
    ------
    DataError
    """
    if settings.split_column is not None and (valid or test) is not None:
        raise DataError(
            f"The column {settings.split_column!r} says which part each row belongs "
            "to, and so do files of your own for validation and test. Give one of "
            f"them: {setting('split_column')}, or {setting('valid')} and "
            f"{setting('test')}."
        )
    dataset = read_dataset(path, settings)
    if valid is None and test is None:
        split = split_dataset(dataset, settings, seed=seed)
        if settings.split_column is not None:
            _tell_leaks(split, settings)
        return dataset, split
    others = [
        read_dataset(other, settings, label_names=dataset.label_names)
        if other is not None
        else None
        for other in (valid, test)
    ]
    valid_part, test_part = others
    train_part = dataset
    if valid_part is None:
        check_trainable(dataset)
        share = settings.valid_fraction
        kept, held = hold_out(
            dataset, share, seed=seed, near_duplicates=settings.near_duplicates
        )
        train_part, valid_part = dataset.take(kept), dataset.take(held)
    split = Split(train=train_part, valid=valid_part, test=test_part)
    _tell_leaks(split, settings)
    return dataset, split


def _tell_leaks(split: Split, settings: DataSettings) -> None:
    """Warn of texts that stand in two parts of a split that was made elsewhere."""
    leaks = count_leaks(split, near_duplicates=settings.near_duplicates)
    for (early, late), count in leaks.items():
        logger.warning(
            "%d of %d texts of the %s part stand in the %s part as well, or nearly so; "
            "figures on them flatter.",
            count,
            len(split.parts()[late]),
            late,
            early,
        )


def run_training(
    dataset: Dataset,
    split: Split,
    settings: RunSettings,
    *,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainingRun:
    """Check, train, judge and save.

    Parameters
    ----------
    dataset : Dataset
        What is audited.
    split : Split
    settings : RunSettings
    output : path, optional
        Bundle to write. While the training runs its checkpoint stands beside it.
    overwrite : bool, default=False
        Replace an older bundle, and forget an interrupted run.
    resume : bool, default=False
        Go on from an interrupted run.
    callbacks : sequence of keras.callbacks.Callback

    Returns
    -------
    job : Job

    Raises
    ------
    EmoclfError
        Before any work if the output cannot be written or a run cannot be resumed.
    """
    checkpoint = None
    if output is not None:
        checkpoint = checkpoint_folder(output)
        check_start(output, overwrite=overwrite, resume=resume)
    audit = audit_dataset(dataset)
    for line in audit.lines():
        logger.info("%s", line)
    trained = train_classifier(
        split.train,
        split.valid,
        settings,
        callbacks=callbacks,
        checkpoint=checkpoint,
        resume=resume,
        on_prepared=_tell,
    )
    logger.info("Judging the network, and the floors on the same texts.")
    report = evaluate_classifier(trained.predictor, split)
    metrics = {
        **trained.bundle.metrics,
        **report.to_dict(),
        "source": os.path.basename(dataset.source),
        "texts": {name: len(part) for name, part in split.parts().items()},
        "audit": audit.to_dict(),
    }
    bundle = replace(trained.bundle, metrics=metrics)
    trained = replace(trained, bundle=bundle)
    path = None
    if output is not None and checkpoint is not None:
        path = save_bundle(bundle, output, overwrite=overwrite)
        if trained.result.ended == "interrupted":
            logger.warning(
                "The training was interrupted. Continue it with %s.",
                _resume_and_overwrite(),
            )
        else:
            CheckpointFolder(checkpoint, {}).remove()
    return TrainingRun(trained, split, audit, report, path)


def check_start(
    output: str | os.PathLike[str], *, overwrite: bool, resume: bool
) -> None:
    """Refuse to begin what would end badly.

    Raises
    ------
    ResumeError
        If an interrupted run stands there and it was not said what to do with it, or
        if the run that is to be resumed is finished.
    BundleError
        If the output exists, or cannot be written.
    """
    checkpoint = checkpoint_folder(output)
    interrupted = CheckpointFolder(checkpoint, {}).exists()
    exists = BUNDLE.place(output).exists()
    if resume and exists and not interrupted:
        raise ResumeError(
            f"{output} is finished; there is nothing to resume. Use it, or train "
            f"again with {setting('overwrite', True)} and without {setting('resume')}."
        )
    if exists and interrupted and not overwrite:
        raise ResumeError(
            f"{output} exists, and {checkpoint} holds an interrupted run that was to "
            f"replace it. Continue that run with {_resume_and_overwrite()}, start "
            f"again with {setting('overwrite', True)} alone, or choose another name."
        )
    check_target(output, overwrite=overwrite)
    if resume and not interrupted:
        logger.info("No interrupted run stands at %s; a new one begins.", checkpoint)
    if interrupted and not (resume or overwrite):
        raise ResumeError(
            f"{checkpoint} holds an interrupted run. Continue it with "
            f"{setting('resume', True)}, or start again with "
            f"{setting('overwrite', True)}."
        )


def _resume_and_overwrite() -> str:
    return f"{setting('resume', True)} {setting('overwrite', True)}"


def _tell(prepared: Prepared) -> None:
    train = prepared.train
    lengths = np.fromiter(map(len, train.token_ids), np.int64, len(train))
    limit = prepared.encoder.max_length
    cut = prepared.cut["train"]
    size = len(prepared.encoder.vocabulary) - FIRST
    only = size - prepared.coverage.types if prepared.coverage else 0
    logger.info(
        "Vocabulary: %d tokens%s. Texts are cut after %d tokens: %d of %d training "
        "texts (%.1f %%); %.1f tokens in the mean.",
        size,
        f", {only} of them from the vectors alone" if only else "",
        limit,
        cut,
        len(train),
        100 * cut / max(1, len(train)),
        lengths.mean(),
    )
    if prepared.coverage is not None:
        for line in prepared.coverage.lines():
            logger.info("%s", line)
