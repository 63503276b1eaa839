"""A teacher's answers to texts, kept on disk: the most expensive part of distillation.

Answers are kept by teacher and texts, chunk by chunk in half precision. A killed run
goes on after the last chunk, and another student of the same teacher needs none.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emoclf.distillation.stored_arrays import StoredTexts, mapped
from emoclf.distillation.teachers import Teacher
from emoclf.errors import ModelError, ResumeError
from emoclf.fingerprint import RUN_FILE, check_fingerprint, digest, write_fingerprint

logger = logging.getLogger(__name__)

ANSWERS_FILE = "answers.f16"
#: Texts of a chunk; all chunks but the last have so many.
CHUNK_TEXTS = 1024
#: Digits of the hash in the name of a folder of answers.
KEY_DIGITS = 16

Progress = Callable[[str, int, int], None]


def teacher_answers(
    folder: Path, teacher: Teacher, texts: StoredTexts, progress: Progress | None = None
) -> np.ndarray:
    """Return a teacher's probabilities for texts; those on disk are not computed again.

    Parameters
    ----------
    folder : Path
        Folder of the answers of all teachers; created if necessary.
    teacher : Teacher
    texts : StoredTexts
    progress : callable, optional
        Function of the teacher's name, the number of answered texts, and of all texts.

    Returns
    -------
    answers : ndarray of float16, shape (n_texts, n_classes)
        Memory-mapped; columns in the order of the teacher's labels.

    Raises
    ------
    ModelError
        If the teacher's answers are not probabilities.
    ResumeError
        If answers on disk are damaged.
    """
    fingerprint = {"teacher": teacher.digest(), "texts": texts.digest()}
    key = digest([*fingerprint.values()])[:KEY_DIGITS]
    folder = folder / f"{key}"
    if not (folder / RUN_FILE).is_file():
        write_fingerprint(folder, fingerprint)
    check_fingerprint(folder, fingerprint, cure=f"Remove {folder}.")
    path = folder / ANSWERS_FILE
    n_classes = len(teacher.label_names)
    done = _whole_chunks(path, n_classes, len(texts))
    if done < len(texts):
        _answer(path, teacher, texts, done, progress)
    answers = mapped(path, np.float16, n_classes)
    for start in range(0, len(answers), CHUNK_TEXTS):
        if not _are_probabilities(answers[start : start + CHUNK_TEXTS], teacher):
            raise ResumeError(
                f"{path} is damaged: it contains numbers that are not probabilities. "
                f"Remove {folder}, and begin again."
            )
    return answers


def _whole_chunks(path: Path, n_classes: int, n_texts: int) -> int:
    """Cut off a chunk that was not written completely; return the answered texts."""
    if not path.is_file():
        return 0
    row = 2 * n_classes
    done = min(path.stat().st_size // row, n_texts)
    if done < n_texts:
        done -= done % CHUNK_TEXTS
    os.truncate(path, done * row)
    return done


def _answer(
    path: Path,
    teacher: Teacher,
    texts: StoredTexts,
    done: int,
    progress: Progress | None,
) -> None:
    logger.info(
        "The teacher %s answers %d texts%s.",
        teacher.name,
        len(texts),
        f", {done} of which are done" if done else "",
    )
    start, before = time.perf_counter(), done
    with open(path, "ab") as stream:
        for chunk in texts.blocks(CHUNK_TEXTS, done):
            if progress is not None:
                progress(teacher.name, done, len(texts))
            answers = np.asarray(teacher.predict_proba(chunk), np.float16)
            shape = (len(chunk), len(teacher.label_names))
            if answers.shape != shape or not _are_probabilities(answers, teacher):
                raise ModelError(
                    f"The answers of the teacher {teacher.name} to the texts {done} to "
                    f"{done + len(chunk) - 1} are not probabilities of shape {shape}. "
                    f"Their shape is {answers.shape}. Use another teacher."
                )
            stream.write(answers.tobytes())
            stream.flush()
            os.fsync(stream.fileno())
            done += len(chunk)
    if progress is not None:
        progress(teacher.name, done, len(texts))
    seconds = time.perf_counter() - start
    logger.info(
        "The teacher %s has answered %d texts in %.0f s: %.0f texts per second.",
        teacher.name,
        done - before,
        seconds,
        (done - before) / max(seconds, 1e-9),
    )


def _are_probabilities(answers: np.ndarray, teacher: Teacher) -> bool:
    answers = answers.astype(np.float32)
    # NaN is in no range.
    valid = bool(((answers >= 0) & (answers <= 1)).all())
    if teacher.multilabel:
        return valid
    return valid and bool((np.abs(answers.sum(1) - 1) < 0.02).all())
