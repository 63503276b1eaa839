"""A teacher's predictions, kept on disk: the most expensive part of a distillation.

They are kept by teacher and texts, chunk by chunk in half precision. A killed run goes
on after the last chunk, and for another student of the same teacher nothing is computed
again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.distillation.stored_arrays import StoredTexts, mapped
from emoclf.distillation.teachers import Teacher
from emoclf.errors import ModelError, ResumeError
from emoclf.fingerprint import RUN_FILE, check_fingerprint, digest, write_fingerprint

logger = logging.getLogger(__name__)

PREDICTIONS_FILE = "probabilities.f16"
#: Texts of a chunk; all chunks but the last have so many.
CHUNK_TEXTS = 1024
#: Digits of the hash in the name of a folder of predictions.
KEY_DIGITS = 16

Progress = Callable[[str, int, int], None]


def teacher_probabilities(
    folder: Path, teacher: Teacher, texts: StoredTexts, progress: Progress | None = None
) -> np.ndarray:
    """Return a teacher's probabilities for texts; those on disk are not computed again.

    Parameters
    ----------
    folder : Path
        Folder of the predictions of all teachers; created if necessary.
    teacher : Teacher
    texts : StoredTexts
    progress : callable, optional
        Function of the teacher's name, the number of predicted texts, and of all texts.

    Returns
    -------
    predictions : ndarray of float16, shape (n_texts, n_classes)
        Memory-mapped; columns in the order of the teacher's labels.

    Raises
    ------
    ModelError
        If the teacher's predictions are not probabilities.
    ResumeError
        If predictions on disk are damaged.
    """
    fingerprint = {"teacher": teacher.digest(), "texts": texts.digest()}
    key = digest([*fingerprint.values()])[:KEY_DIGITS]
    folder = folder / key
    if not (folder / RUN_FILE).is_file():
        write_fingerprint(folder, fingerprint)
    check_fingerprint(folder, fingerprint, cure=f"Remove {folder}.")
    path = folder / PREDICTIONS_FILE
    n_classes = len(teacher.label_names)
    path.touch()
    done = min(path.stat().st_size // (2 * n_classes), len(texts))
    if done < len(texts):
        # Without a chunk that is not complete.
        done -= done % CHUNK_TEXTS
        _predict(path, teacher, texts, done, progress or (lambda *_: None))
    size, expected = path.stat().st_size, 2 * n_classes * len(texts)
    if size != expected:
        raise ResumeError(
            f"{path} is damaged: it must have {expected:,} bytes. Got {size:,}. "
            f"Remove {folder}, and begin again."
        )
    predictions = mapped(path, np.float16, n_classes)
    for start in range(0, len(predictions), CHUNK_TEXTS):
        if not _are_probabilities(predictions[start : start + CHUNK_TEXTS], teacher):
            raise ResumeError(
                f"{path} is damaged: it contains numbers that are not probabilities. "
                f"Remove {folder}, and begin again."
            )
    return predictions


def _predict(
    path: Path, teacher: Teacher, texts: StoredTexts, done: int, progress: Progress
) -> None:
    logger.info(
        "The teacher %s predicts %d texts%s.",
        teacher.name,
        len(texts),
        f", {done} of which are done" if done else "",
    )
    start, before = time.perf_counter(), done
    # Of two runs at once, both write the same bytes to the same places; nothing is cut
    # off or appended, so that neither moves what the other has written.
    with open(path, "r+b") as stream:
        stream.seek(done * 2 * len(teacher.label_names))
        for chunk in texts.blocks(CHUNK_TEXTS, done):
            progress(teacher.name, done, len(texts))
            predictions = np.asarray(teacher.predict_proba(chunk), np.float16)
            shape = (len(chunk), len(teacher.label_names))
            valid = predictions.shape == shape
            if not (valid and _are_probabilities(predictions, teacher)):
                raise ModelError(
                    f"The teacher {teacher.name} must predict probabilities of shape "
                    f"{shape} for the texts {done} to {done + len(chunk) - 1}. Got "
                    f"{predictions.shape}, or numbers that are no probabilities. Use "
                    "another teacher."
                )
            stream.write(predictions.tobytes())
            stream.flush()
            os.fsync(stream.fileno())
            done += len(chunk)
    progress(teacher.name, done, len(texts))
    seconds = time.perf_counter() - start
    logger.info(
        "The teacher %s has predicted %d texts in %.0f s: %.0f texts per second.",
        teacher.name,
        done - before,
        seconds,
        (done - before) / max(seconds, 1e-9),
    )


def _are_probabilities(predictions: np.ndarray, teacher: Teacher) -> bool:
    predictions = predictions.astype(np.float32)
    # NaN is in no range.
    valid = bool(((predictions >= 0) & (predictions <= 1)).all())
    if teacher.multilabel:
        return valid
    return valid and bool((np.abs(predictions.sum(1) - 1) < 0.02).all())


class OrderedPredictions:
    """A teacher's predictions with columns in the order of these labels."""

    def __init__(
        self, predictions: np.ndarray, teacher: Teacher, label_names: Sequence[str]
    ) -> None:
        self._predictions = predictions
        self._order = [teacher.label_names.index(name) for name in label_names]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._predictions[rows][:, self._order]


def mean_probabilities(predictions: Sequence[Any], start: int, stop: int) -> np.ndarray:
    """Return the mean of the teachers' probabilities for some texts, in float64."""
    blocks = [np.asarray(one[start:stop], np.float64) for one in predictions]
    return np.mean(blocks, axis=0)
