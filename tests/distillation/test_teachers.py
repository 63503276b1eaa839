"""Teachers are told apart; tests of distillation/teachers.py and teacher_overlap.py."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_teacher import WordTeacher
from tiny import tiny_dataset, tiny_folded, tiny_settings, tiny_split, tiny_trained

from emoclf import Predictor, load_exported
from emoclf.datasets.split import split_dataset
from emoclf.distillation import teachers
from emoclf.distillation.teacher_overlap import warn_of_teacher_overlap
from emoclf.distillation.teachers import as_teachers
from emoclf.errors import BundleError, ModelError, SettingsError
from emoclf.settings import DataSettings


def digests(*given: Any) -> list[str]:
    found = as_teachers(list(given), None, tiny_split().train, DataSettings())
    return [teacher.digest() for teacher in found]


class WithoutDigest(WordTeacher):
    digest = None  # type: ignore[assignment]


def test_names_in_the_hub_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"a/b": WordTeacher(), "c/d": WordTeacher(confidence=0.8)}
    monkeypatch.setattr(teachers, "load_classifier", models.__getitem__)
    one, other = digests("a/b", "c/d")
    assert one != other
    assert one == models["a/b"].digest()


def test_a_folder_without_files_is_no_teacher(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(teachers, "load_classifier", lambda _: WithoutDigest())
    with pytest.raises(BundleError, match="has no files by which a teacher could be"):
        digests(tmp_path)


@pytest.mark.slow
def test_classifiers_in_memory_are_told_apart(tmp_path: Path) -> None:
    trained = tiny_trained()
    predictor = trained.predictor
    path = predictor.save(tmp_path / "a.emoclf")
    other = Predictor(pickle.loads(pickle.dumps(predictor.bundle)))
    one, same, loaded, copy = digests(predictor, trained, path, other)
    assert one == same == loaded == copy
    # Other weights, and then another vocabulary.
    weight = other.bundle.model.weights[-1]
    weight.assign(weight.numpy() + 1e-5)
    assert other.digest() != one
    other = Predictor(pickle.loads(pickle.dumps(predictor.bundle)))
    words = other.bundle.encoder.vocabulary
    words.tokens = words.tokens[::-1]
    assert other.digest() != one


@pytest.mark.slow
def test_classifiers_without_a_digest_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = load_exported(tiny_folded(tmp_path))
    (one,) = digests(export)
    assert digests(export) == [one]
    kind = type(export)
    exact = kind.predict_proba
    monkeypatch.setattr(
        kind, "predict_proba", lambda self, texts: exact(self, texts) * 0.9999
    )
    assert digests(export) != [one]


@pytest.mark.slow
def test_held_out_texts_that_a_teacher_knows_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = as_teachers(tiny_trained(), None, tiny_split().train, DataSettings())
    warn_of_teacher_overlap([*found, WordTeacher()], tiny_split())
    assert not caplog.records
    other = split_dataset(tiny_dataset(), tiny_settings().data, seed=1)
    assert other.valid is not None
    known = {*tiny_split().train.texts}
    count = sum(text in known for text in other.valid.texts)
    assert count
    warn_of_teacher_overlap(found, other)
    first = caplog.records[0].getMessage()
    start = f"{count} of {len(other.valid)} validation texts are training texts of the "
    assert first.startswith(f"{start}teacher text_cnn; ")
    assert "Train the teacher on the same split" in first
    assert len(caplog.records) == 2


@pytest.mark.slow
def test_the_place_of_an_encoder_is_for_bundles_with_one(tmp_path: Path) -> None:
    path = tiny_trained().predictor.save(tmp_path / "a.emoclf")
    with pytest.raises(
        SettingsError, match=r"teacher_encoder='x'.*no teacher here was"
    ):
        as_teachers(path, None, tiny_split().train, DataSettings(), encoder="x")


def test_a_missing_encoder_of_a_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bundle:
        class inputs:  # noqa: N801
            encoder = "moved"

    class WithEncoder(WordTeacher):
        bundle = Bundle

        def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
            raise ModelError("There is no 'moved'.")

    places = []

    def load(path: str, **options: str) -> Any:
        places.append(options.get("encoder"))
        return WithEncoder()

    monkeypatch.setattr(teachers, "load_classifier", load)
    train = tiny_split().train
    (teacher,) = as_teachers("a/b", None, train, DataSettings(), encoder="here")
    assert places == [None, "here"]
    with pytest.raises(ModelError, match="For a teacher, use teacher_encoder"):
        teacher.predict_proba(["a"])
