"""Predictions on disk: kept, resumed chunk by chunk, and checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_teacher import WordTeacher

from emoclf.distillation import teacher_predictions
from emoclf.distillation.stored_arrays import StoredTexts, store_texts
from emoclf.distillation.teacher_predictions import (
    PREDICTIONS_FILE,
    OrderedPredictions,
    mean_probabilities,
    teacher_probabilities,
)
from emoclf.errors import ModelError, ResumeError

TEXTS = [f"{word} number {i}" for i in range(7) for word in ("gift", "dark", "unfair")]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher_predictions, "CHUNK_TEXTS", 4)


@pytest.fixture
def texts(tmp_path: Path) -> StoredTexts:
    return store_texts(tmp_path / "texts", TEXTS)


def test_predictions_are_computed_once(tmp_path: Path, texts: StoredTexts) -> None:
    teacher = WordTeacher()
    steps: list[tuple[str, int, int]] = []
    folder = tmp_path / "predictions"
    found = teacher_probabilities(folder, teacher, texts, lambda *x: steps.append(x))
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, WordTeacher().predict_proba(TEXTS), atol=1e-3)
    assert teacher.texts == TEXTS
    assert steps[0] == ("words", 0, 21)
    assert steps[-1] == ("words", 21, 21)
    again = teacher_probabilities(folder, teacher, texts)
    np.testing.assert_array_equal(again, found)
    assert teacher.texts == TEXTS
    # Another teacher, and other texts, have predictions of their own.
    teacher_probabilities(folder, WordTeacher(confidence=0.8), texts)
    others = store_texts(tmp_path / "others", TEXTS[:5])
    assert len(teacher_probabilities(folder, teacher, others)) == 5
    assert len([*folder.iterdir()]) == 3


def test_a_chunk_that_was_not_completed_is_predicted_again(
    tmp_path: Path, texts: StoredTexts
) -> None:
    found = teacher_probabilities(tmp_path / "p", WordTeacher(), texts).copy()
    (path,) = tmp_path.glob(f"p/*/{PREDICTIONS_FILE}")
    path.write_bytes(path.read_bytes()[: 2 * 3 * 10 + 1])
    teacher = WordTeacher()
    again = teacher_probabilities(tmp_path / "p", teacher, texts)
    assert teacher.texts == TEXTS[8:]
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize("value", [np.nan, -1.0, 3.0])
def test_damaged_predictions_are_refused(
    tmp_path: Path, texts: StoredTexts, value: float
) -> None:
    teacher_probabilities(tmp_path / "p", WordTeacher(), texts)
    (path,) = tmp_path.glob(f"p/*/{PREDICTIONS_FILE}")
    values = np.fromfile(path, np.float16)
    values[40] = value
    path.write_bytes(values.tobytes())
    with pytest.raises(ResumeError, match="is damaged: it contains numbers"):
        teacher_probabilities(tmp_path / "p", WordTeacher(), texts)


class Scores(WordTeacher):
    def predict_proba(self, texts: object) -> np.ndarray:
        return np.full((4, 3), 0.9)


def test_scores_are_no_probabilities(tmp_path: Path, texts: StoredTexts) -> None:
    with pytest.raises(ModelError, match=r"teacher words must predict probabilities"):
        teacher_probabilities(tmp_path / "p", Scores(), texts)


def test_columns_are_matched_by_name_and_averaged(
    tmp_path: Path, texts: StoredTexts
) -> None:
    names = ("anger", "fear", "joy")
    teachers = [WordTeacher(), WordTeacher(names[::-1], 0.5)]
    found = [
        OrderedPredictions(teacher_probabilities(tmp_path, one, texts), one, names)
        for one in teachers
    ]
    expected = (
        WordTeacher().predict_proba(TEXTS[2:5])
        + WordTeacher(confidence=0.5).predict_proba(TEXTS[2:5])
    ) / 2
    np.testing.assert_allclose(mean_probabilities(found, 2, 5), expected, atol=1e-3)


def test_two_runs_at_once_write_the_same(tmp_path: Path, texts: StoredTexts) -> None:
    folder = tmp_path / "predictions"
    inner: list[np.ndarray] = []

    class Overtaken(WordTeacher):
        def predict_proba(self, given: object) -> np.ndarray:
            if len(self.texts) == 8 and not inner:
                # Another run goes on after two chunks, and ends before this one.
                inner.append(teacher_probabilities(folder, WordTeacher(), texts).copy())
            return super().predict_proba(given)

    outer = teacher_probabilities(folder, Overtaken(), texts)
    expected = WordTeacher().predict_proba(TEXTS)
    for found in (*inner, outer):
        np.testing.assert_allclose(found, expected, atol=1e-3)
    (path,) = folder.glob(f"*/{PREDICTIONS_FILE}")
    path.write_bytes(path.read_bytes() + bytes(6))
    with pytest.raises(ResumeError, match=r"must have 126 bytes\. Got 132\. Remove"):
        teacher_probabilities(folder, WordTeacher(), texts)
