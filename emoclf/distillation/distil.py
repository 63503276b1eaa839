"""Train a student on the predictions of teachers."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.distillation.distillation_folder import DistillationFolder
from emoclf.distillation.distillation_settings import DistillationSettings
from emoclf.distillation.out_of_fold import read_out_of_fold
from emoclf.distillation.stages import fit_stages
from emoclf.distillation.student_stages import student_stages
from emoclf.distillation.teacher_overlap import warn_of_teacher_overlap
from emoclf.distillation.teacher_predictions import Progress, mean_probabilities
from emoclf.distillation.teacher_progress import predict_all
from emoclf.distillation.teachers import as_teachers, coverage
from emoclf.distillation.transfer_set import build_transfer_set
from emoclf.distillation.unlabelled import files_of
from emoclf.embeddings.vector_objects import given_vectors
from emoclf.errors import SettingsError, setting
from emoclf.evaluation.metric_names import MULTILABEL, ONE_LABEL
from emoclf.fingerprint import digest
from emoclf.settings import RunSettings
from emoclf.workflow.automatic_settings import resolve
from emoclf.workflow.fit_classifier import finish_classifier, new_network
from emoclf.workflow.prepare import Prepared, prepare
from emoclf.workflow.train import (
    keep_reference,
    run_fingerprint,
    split_of,
    training_progress,
)
from emoclf.workflow.trained_classifier import TrainedClassifier

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

#: Entry of a bundle's metrics that describes the distillation.
DISTILLATION = "distillation"


def distil_classifier(
    data: Split | Dataset | pd.DataFrame | Sequence[str],
    valid: Dataset | pd.DataFrame | Sequence[Any] | None = None,
    settings: RunSettings | Mapping[str, Any] | None = None,
    *,
    teacher: Any = None,
    teacher_labels: Any = None,
    teacher_encoder: str | os.PathLike[str] | None = None,
    unlabelled: Any = None,
    out_of_fold: str | os.PathLike[str] | None = None,
    distillation: DistillationSettings | Mapping[str, Any] | None = None,
    vectors: Any = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    predictions: str | os.PathLike[str] | None = None,
    resume: bool = False,
    on_prepared: Callable[[Prepared], None] | None = None,
    progress: Progress | None = None,
    verbose: Literal["auto", 0, 1] = "auto",
    **flat: Any,
) -> TrainedClassifier:
    """Distil a classifier: train a small one, the student, on teachers' predictions.

    Parameters
    ----------
    data : Split, Dataset, DataFrame or list of str
        Labelled texts, in the forms of :func:`emoclf.train_classifier`. They are split
        as there.
    valid : Dataset, DataFrame or list, optional
        Validation set, or the labels of a list of texts. A warning tells of its texts
        on which a teacher was trained, as far as that is known.
    settings : RunSettings or mapping, optional
        Settings of the student.
    teacher : path, Classifier or list of these, optional
        Classifier with the same labels, in any order: a bundle, an export, or any
        object with ``name``, ``label_names``, ``multilabel``, ``digest()`` and
        ``predict_proba(texts)``. Of several the probabilities are averaged.
    teacher_labels : path or list of paths, optional
        File of texts with one column of probabilities for each label, or with one
        column of labels, such as those of a language model: another teacher. Unlabelled
        texts that it lacks are left out, and training texts that it lacks have their
        true labels.
    teacher_encoder : path, optional
        Folder of the transformer encoder of teachers that are bundles, if it is not
        where it was when they were trained.
    unlabelled : path, list of paths, or texts, optional
        Texts without labels, or with labels that are not read: the more like the
        labelled ones, the better. Duplicates, and texts that are nearly like those of
        the validation and test sets, are left out. Default: the texts of
        ``teacher_labels``; without them texts are made from the training texts, which
        often helps less.
    out_of_fold : path, optional
        File with the probabilities of the training texts from a cross-validation of the
        teacher, such as ``emoclf crossval --out-of-fold`` writes. They are used in
        place of the teachers' own: a teacher is too sure of texts that it was trained
        on.
    distillation : DistillationSettings or mapping, optional
    vectors : path, WordVectors, …, optional
        Word vectors, as in :func:`emoclf.train_classifier`.
    callbacks : sequence of keras.callbacks.Callback
        Callbacks of both stages.
    checkpoint : path, optional
        Folder for the state of an unfinished run; see ``resume``. It is not removed.
    predictions : path, optional
        Folder that keeps the teachers' predictions for other students. Default: within
        the checkpoint.
    resume : bool, default=False
        Whether to continue from the checkpoint. Teachers' predictions on disk are used
        in any case.
    on_prepared : callable, optional
        Function that gets the :class:`Prepared` inputs before anything is trained.
    progress : callable, optional
        Function of a teacher's name, the number of texts that it has predicted, and of
        all texts. Default: a bar on a terminal.
    verbose : {"auto", 0, 1}, default="auto"
        Whether to show progress.
    **flat
        Single settings of the student or of the distillation, such as ``epochs=3`` or
        ``true_share=0.3``.

    Returns
    -------
    student : TrainedClassifier
        An ordinary classifier; ``student.bundle.metrics["distillation"]`` names its
        teachers, the number of texts, and the settings.

    Raises
    ------
    DataError
        If a teacher has other labels, or no unlabelled text is left.
    SettingsError, VectorsError, TrainingError, ResumeError

    Examples
    --------
    >>> from emoclf import distil_classifier, read_dataset
    >>> student = distil_classifier(
    ...     read_dataset("sentences.csv"), teacher="teacher.emoclf",
    ...     unlabelled="more.txt", kernel_sizes=(1, 2, 3, 4),
    ... )  # doctest: +SKIP
    >>> student.save("student.emoclf")  # doctest: +SKIP
    """
    names = DistillationSettings.names()
    own = {name: flat.pop(name) for name in names if name in flat}
    distillation = DistillationSettings.of(distillation, own)
    settings = RunSettings.of(settings, flat)
    split = split_of(data, valid, settings)
    _check_reads_words(settings, split)
    labels = split.train.label_names
    teachers = as_teachers(
        teacher, teacher_labels, split.train, settings.data, encoder=teacher_encoder
    )
    warn_of_teacher_overlap(teachers, split)
    of_folds = None
    if out_of_fold is not None:
        of_folds = read_out_of_fold(out_of_fold, split, settings.data)
    if unlabelled is None and teacher_labels:
        unlabelled = [Path(path) for path in files_of(teacher_labels) or ()]
    settings, sets = given_vectors(settings, vectors)
    place: AbstractContextManager[str | os.PathLike[str]] = (
        tempfile.TemporaryDirectory() if checkpoint is None else nullcontext(checkpoint)
    )
    with place as name:
        folder = Path(name)
        transfer = build_transfer_set(
            folder,
            split,
            unlabelled,
            settings,
            distillation,
            covers=coverage(teachers),
        )
        if settings.training.batch_size is None:
            size = settings.training.texts_per_step(len(transfer))
            settings = settings.override(batch_size=size)
        settings = resolve(settings, split.train)
        prepared = prepare(
            split.train, split.valid, settings, vectors=sets, words=transfer.words
        )
        if on_prepared is not None:
            on_prepared(prepared)
        for finding in prepared.findings:
            logger.warning("%s", finding)
        fingerprint = {
            **run_fingerprint(split.train, split.valid, settings, prepared),
            DISTILLATION: distillation.to_dict(),
            "unlabelled texts": transfer.texts.digest(),
            "teachers": [one.digest() for one in teachers],
            "out-of-fold probabilities": digest(of_folds),
        }
        if predictions is None:
            predictions = DistillationFolder(folder).predictions
        predicted = predict_all(
            teachers,
            transfer.texts,
            Path(predictions),
            label_names=labels,
            progress=progress,
            verbose=bool(verbose),
        )
        train_probabilities = of_folds
        if train_probabilities is None:
            train_probabilities = mean_probabilities(predicted, 0, transfer.n_train)
        stages, soft = student_stages(
            transfer,
            predicted,
            prepared,
            split.train,
            settings,
            distillation,
            train_probabilities,
        )
        model = new_network(prepared, split.train, settings)

        def of_stage(epochs: int) -> list[keras.callbacks.Callback]:
            shown = training_progress(
                verbose, callbacks, settings.override(epochs=epochs)
            )
            for callback in shown:
                callback.task = MULTILABEL if split.train.multilabel else ONE_LABEL
            return [*callbacks, *shown]

        result, facts = fit_stages(
            model,
            stages,
            prepared.valid,
            settings,
            label_names=labels,
            callbacks=of_stage,
            checkpoint=folder if checkpoint is not None else None,
            fingerprint=fingerprint,
            resume=resume,
        )
        files = files_of(unlabelled) or ()
        metrics = {
            "teachers": [one.name for one in teachers],
            "unlabelled": [os.path.basename(path) for path in files],
            "made_from_training_texts": transfer.is_made,
            "training_texts": transfer.n_train,
            "texts": transfer.counts.to_dict(),
            "settings": distillation.to_dict(),
            "stages": facts,
            "out_of_fold": out_of_fold and os.path.basename(out_of_fold),
        }
    student = finish_classifier(
        model,
        result,
        prepared,
        split.train,
        settings,
        ngram_train=soft,
        metrics={DISTILLATION: metrics},
    )
    student = replace(student, split=split)
    keep_reference(student)
    return student


def _check_reads_words(settings: RunSettings, split: Split) -> None:
    """Raise an error if the student would need an encoder to predict."""
    encoder = settings.embedding.encoder
    if encoder is None and split.train.vectors is None:
        return
    problem = "the data are vectors."
    if encoder is not None:
        problem = (
            f"{setting('encoder', encoder)} selects the vectors of an encoder. Leave "
            "it out; the folder of a teacher's encoder is given with "
            f"{setting('teacher_encoder', 'FOLDER')}."
        )
    raise SettingsError(
        f"A student is trained on words, but {problem} To train on vectors, use emoclf "
        "train or train_classifier."
    )
