"""A student learns what its teachers know, and the true labels.

Covers distillation/distil.py, stages.py, transfer_set.py and teachers.py.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_teacher import WordTeacher
from tiny import PLACES, WORDS, tiny_dataset, tiny_settings, tiny_split, tiny_trained

from emoclf import Dataset, Predictor, distil_classifier, load_exported
from emoclf.bundle.bundle_folder import save_bundle
from emoclf.errors import BundleError, DataError, SettingsError
from emoclf.export.folded import export_folded
from emoclf.models.ngram_scores import NGRAMS
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model
from emoclf.workflow.fit_classifier import new_network
from emoclf.workflow.prepare import prepare
from emoclf.workflow.trained_classifier import TrainedClassifier

pytestmark = pytest.mark.slow
#: Epochs that show what is done, not what is learnt.
FEW = {"epochs": 2, "last_epochs": 1}
#: Words that only the unlabelled texts contain, beside one that the teacher knows.
NEW_WORDS = {"gift": "splendid", "dark": "spooky", "unfair": "vile"}
UNLABELLED = [
    f"{new} and {known} {place}" for place in PLACES for known, new in NEW_WORDS.items()
]


def distilled(**options: Any) -> TrainedClassifier:
    settings: dict[str, Any] = {"teacher": WordTeacher(), "unlabelled": UNLABELLED}
    settings |= {"settings": tiny_settings(epochs=25, patience=25), "verbose": 0}
    return distil_classifier(tiny_split(), **(settings | options))


@cache
def student() -> TrainedClassifier:
    return distilled()


@cache
def hasty_student() -> TrainedClassifier:
    return distilled(**FEW)


def test_a_student_knows_words_that_no_label_taught() -> None:
    facts = student().bundle.metrics["distillation"]
    assert facts["teachers"] == ["words"]
    assert facts["texts"] == {
        "read": 15, "empty": 0, "duplicates": 0, "held_out": 0, "unknown": 0,
        "unlike": 0, "kept": 15,
    }  # fmt: skip
    first, last = facts["stages"]
    n_train = len(tiny_split().train)
    assert (first["texts"], last["texts"]) == (n_train + 15, n_train)
    assert student().predict([*NEW_WORDS.values()]) == ["joy", "fear", "anger"]
    # Without the unlabelled texts these words are unknown.
    vocabulary = tiny_trained().bundle.encoder.vocabulary
    assert not any(word in vocabulary for word in NEW_WORDS.values())
    assert student().evaluate().network.accuracy > 0.9


def test_the_epochs_of_both_stages_are_in_the_history() -> None:
    facts = student().bundle.metrics["distillation"]["stages"]
    lengths = [stage["epochs"] for stage in facts]
    assert student().result.epochs == sum(lengths)
    best = max(facts, key=lambda stage: stage["macro_f1"])["macro_f1"]
    history, epoch = student().history, student().result.best_epoch
    assert history["val_macro_f1"][epoch - 1] == best
    assert all(len(values) == sum(lengths) for values in history.values())


def test_a_student_is_an_ordinary_bundle(tmp_path: Path) -> None:
    path = student().save(tmp_path / "student.emoclf")
    loaded = Predictor.load(path)
    texts = list(tiny_split().test.texts)
    expected = student().predict_proba(texts)
    np.testing.assert_allclose(loaded.predict_proba(texts), expected, atol=1e-6)
    folded = load_exported(export_folded(loaded, tmp_path / "folded"))
    np.testing.assert_allclose(folded.predict_proba(texts), expected, atol=0.02)
    card = (path / "README.md").read_text()
    assert "## Distillation\n\n- Teacher: words.\n" in card
    assert "42 of the training set, and 15 unlabelled texts." in card
    assert "the true labels are 50% and the teacher's probabilities 50%" in card
    assert loaded.explain("a splendid gift").labels == ("joy",)
    with pytest.raises(DataError, match="A distilled student cannot be fitted again"):
        student().refit()


class WrongTeacher(WordTeacher):
    """A teacher that predicts the next label."""

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        return np.roll(super().predict_proba(texts), 1, axis=1)


@pytest.mark.parametrize(
    "options",
    [{"true_share": 1.0, "last_epochs": 0}, {"true_share": 0.0, "order": "joint"}],
    ids=str,
)
def test_the_linear_part_has_the_targets_of_the_student(options: Any) -> None:
    one = distilled(teacher=WrongTeacher(), epochs=1, ngrams=True, **options)
    true_share = options["true_share"]
    scores = one.bundle.model.get_layer(NGRAMS).words.numpy()[:, :-1]
    for label, word in enumerate(("insult", "dark", "gift")):
        (number,) = one.bundle.encoder.vocabulary.ids([word])
        assert scores[number].argmax() == (label if true_share else (label + 1) % 3)


def test_labels_in_another_order_change_nothing() -> None:
    teacher = WordTeacher(("joy", "anger", "fear"))
    other = distilled(teacher=teacher, **FEW)
    assert other.label_names == ("anger", "fear", "joy")
    texts = UNLABELLED[:6]
    np.testing.assert_allclose(
        other.predict_proba(texts), hasty_student().predict_proba(texts), atol=1e-5
    )


def test_classifiers_as_teachers_by_path_and_several(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained = tiny_trained()
    path = trained.save(tmp_path / "a.emoclf")
    folded = export_folded(trained.predictor, tmp_path / "folded")
    caplog.set_level(logging.INFO)
    both = distilled(teacher=f"{path},{folded}", last_epochs=0)
    assert both.predict(["a gift"]) == ["joy"]
    facts = both.bundle.metrics["distillation"]
    assert facts["teachers"] == ["a.emoclf", "folded"]
    assert [stage["stage"] for stage in facts["stages"]] == ["first-stage"]
    assert "The teacher folded predicts 57 texts" in caplog.text
    card = (both.save(tmp_path / "s.emoclf") / "README.md").read_text()
    assert "- Teachers: a.emoclf, folded, whose probabilities were averaged" in card
    with pytest.raises(BundleError, match="missing"):
        distilled(teacher=tmp_path / "missing")


def test_same_seed_same_student_and_the_predictions_serve_others(
    tmp_path: Path,
) -> None:
    teacher = WordTeacher()
    options = {"teacher": teacher, "predictions": tmp_path / "predictions"}
    again = distilled(**options, **FEW)
    for one, other in zip(
        hasty_student().bundle.model.get_weights(),
        again.bundle.model.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    count = len(teacher.texts)
    assert count == len(tiny_split().train) + len(UNLABELLED)
    distilled(**options, epochs=1, last_epochs=0, filters=4)
    assert len(teacher.texts) == count


def test_of_many_unlabelled_texts_the_nearest_teach(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    teacher = WordTeacher()
    foreign = [f"stock {i} closed at {i} points" for i in range(200)]
    options = {"teacher": teacher, "unlabelled": [*foreign, *UNLABELLED]}
    nearest = distilled(**options, max_unlabelled=15, epochs=1, last_epochs=0)
    assert teacher.texts == [*tiny_split().train.texts, *UNLABELLED]
    assert "Choosing the 15 of 215 unlabelled texts" in caplog.text
    assert "15 of 215 unlabelled texts are used" in caplog.text
    assert "200 texts less similar to the training texts." in caplog.text
    facts = nearest.bundle.metrics["distillation"]
    assert facts["texts"]["unlike"] == 200
    assert facts["texts"]["kept"] == 15
    card = (nearest.save(tmp_path / "s.emoclf") / "README.md").read_text()
    assert "and 15 unlabelled texts." in card
    assert "test sets, and 200 texts that are less like the training texts." in card
    # The words of texts that are left out are not in the vocabulary.
    assert "stock" not in nearest.bundle.encoder.vocabulary
    with pytest.raises(SettingsError, match="max_unlabelled=15 chooses among unlab"):
        distilled(unlabelled=None, max_unlabelled=15)


def test_held_out_texts_teach_nothing() -> None:
    split = tiny_split()
    teacher = WordTeacher()
    held_out = [*split.valid.texts, *split.test.texts]
    texts = [f"  {text.upper()}" for text in held_out]
    given = [*UNLABELLED, *texts]
    run = distilled(teacher=teacher, unlabelled=given, epochs=1, last_epochs=0)
    assert run.bundle.metrics["distillation"]["texts"]["held_out"] == len(held_out)
    assert not {*map(str.casefold, map(str.strip, teacher.texts))} & {*held_out}
    with pytest.raises(DataError, match=r"No unlabelled text is left\. 0 of 18 unlab"):
        distilled(unlabelled=texts)


def test_without_unlabelled_texts_they_are_made_and_that_is_said(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    made = distilled(unlabelled=None, variants=3, epochs=1, last_epochs=0)
    assert "This is the weak way" in caplog.text
    facts = made.bundle.metrics["distillation"]
    assert facts["made_from_training_texts"]
    assert 0 < facts["texts"]["kept"] <= 3 * 42
    card = (save_bundle(made.bundle, tmp_path / "s") / "README.md").read_text()
    assert "texts that were made from them, since there were no unlabelled" in card


def test_both_losses_together_and_a_temperature() -> None:
    settings = tiny_settings(epochs=15, patience=15)
    options = {"order": "joint", "temperature": 2.0, "true_share": 0.7}
    joint = distilled(settings=settings, label_weight=1, **options)
    facts = joint.bundle.metrics["distillation"]
    assert [stage["texts"] for stage in facts["stages"]] == [57]
    assert facts["settings"]["temperature"] == 2.0
    assert joint.predict([*NEW_WORDS.values()]) == ["joy", "fear", "anger"]


def test_teachers_with_other_labels_are_refused() -> None:
    with pytest.raises(DataError, match=r"words lacks the labels 'joy' and has the l"):
        distilled(teacher=Renamed())
    several = WordTeacher()
    several.multilabel = True
    with pytest.raises(DataError, match="predicts several labels for a text, and the"):
        distilled(teacher=several)
    with pytest.raises(DataError, match="There is no teacher"):
        distilled(teacher=None)
    with pytest.raises(DataError, match="teacher must be a path or a classifier"):
        distilled(teacher=[3])


class Renamed(WordTeacher):
    def __init__(self) -> None:
        super().__init__()
        self.label_names = ("anger", "fear", "happiness")


def test_settings_are_checked() -> None:
    with pytest.raises(SettingsError, match=r"true_share.*at most 1"):
        distilled(true_share=2)
    with pytest.raises(SettingsError, match=r"epoch.*Did you mean 'epochs'"):
        distilled(epoch=2)
    with pytest.raises(SettingsError, match="no setting 'temperatur'"):
        distilled(distillation={"temperatur": 2})


def test_several_labels_for_a_text(tmp_path: Path) -> None:
    data = tiny_dataset()
    pairs = [(a, b) for a in data.labels[::7] for b in data.labels[::9]]
    texts = [
        f"{WORDS[a][i % 3]} and {WORDS[b][i % 4]} {PLACES[i % 5]} {i}"
        for i, (a, b) in enumerate(pairs)
    ]
    labels = [tuple(dict.fromkeys(pair)) for pair in pairs]
    dataset = Dataset.from_lists(texts, labels)

    class Several(WordTeacher):
        multilabel = True

        def predict_proba(self, texts: Any) -> np.ndarray:
            found = [
                [any(w in t for w in WORDS[n]) for n in data.label_names] for t in texts
            ]
            return np.clip(np.array(found, float), 0.05, 0.95)

    settings = tiny_settings(epochs=15, ngrams=True)
    options: dict[str, Any] = {"teacher": Several(), "unlabelled": UNLABELLED}
    trained = distil_classifier(
        dataset, settings=settings, last_epochs=1, verbose=0, **options
    )
    assert trained.multilabel
    assert trained.evaluate().network.macro_f1 > 0.8
    assert trained.predict(["a splendid gift in the dark"]) == [("fear", "joy")]


def test_one_hot_soft_targets_train_as_labels_do() -> None:
    settings, split = tiny_settings(epochs=2), tiny_split()
    prepared = prepare(split.train, split.valid, settings)
    weights = []
    soft = np.eye(3, dtype=np.float16)[prepared.train.targets]
    for train in (
        prepared.train,
        Examples(prepared.train.token_ids, soft, temperature=1.0),
    ):
        model = new_network(prepared, split.train, settings)
        result = fit_model(model, train, prepared.valid, settings.training)
        weights.append((model.get_weights(), result.history))
    (hard, history), (soft_weights, soft_history) = weights
    for one, other in zip(hard, soft_weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(history["loss"], soft_history["loss"], atol=1e-6)
    np.testing.assert_allclose(history["accuracy"], soft_history["accuracy"])


def test_a_file_of_labels_as_a_teacher(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    split = tiny_split()
    path = tmp_path / "labels.csv"
    labels = [
        next(n for n, w in WORDS.items() if k in w) for _ in PLACES for k in NEW_WORDS
    ]
    rows = [*zip(UNLABELLED, labels, strict=True)]
    rows += [*zip(split.train.texts[:20], split.train.labels[:20], strict=True)]
    # One of twenty labels is wrong.
    text, label = rows[-1]
    rows[-1] = text, "fear" if label != "fear" else "joy"
    path.write_text("\n".join(["text,label", *map(",".join, rows)]), encoding="utf-8")
    caplog.set_level(logging.INFO)
    options = {"teacher": None, "teacher_labels": path}
    trained = distilled(**options, unlabelled=None, last_epochs=1)
    assert "accuracy 95 % (95 % interval 76 to 99 %) on the 20 train" in caplog.text
    facts = trained.bundle.metrics["distillation"]
    assert facts["texts"]["kept"] == len(UNLABELLED)
    assert facts["texts"]["duplicates"] == 20
    assert trained.predict([*NEW_WORDS.values()]) == ["joy", "fear", "anger"]
    # Texts that the file lacks are left out.
    texts = [*UNLABELLED, "zebra"]
    more = distilled(**options, unlabelled=texts, epochs=1, last_epochs=0)
    assert more.bundle.metrics["distillation"]["texts"]["unknown"] == 1


def test_a_student_reads_words() -> None:
    message = r"A student is trained on words.*encoder='minilm' selects the vectors of"
    with pytest.raises(SettingsError, match=message):
        distilled(settings={"encoder": "minilm"})
