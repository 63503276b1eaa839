"""An encoder beside the networks of a polarity classifier."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from tiny_aspects import fitted_polarity, fitted_tagger, tiny_aspects, tiny_model

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.exports.aspect_export import export_aspects
from emoclf.aspects.polarities import place_scores
from emoclf.aspects.polarities.place_scores import N_PLACES
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_folder import (
    polarity_from_values,
    polarity_values,
)
from emoclf.aspects.polarities.polarity_targets import Target, labelled_targets
from emoclf.errors import BundleError, ExportError, ModelError, SettingsError

pytest.importorskip("torch")
pytest.importorskip("transformers")

DIM = 16
SHARE = 0.7
TARGET = Target("a lovely gift and a dark night", 9, 13)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_encoder import write_tiny_encoder

    return write_tiny_encoder(tmp_path_factory.mktemp("encoder"), dim=DIM)


@pytest.fixture(scope="module")
def scores(folder: Path) -> Any:
    from emoclf.aspects.polarities.encoder_scores import EncoderScores

    X, y = labelled_targets(tiny_aspects())
    ids = np.array([["negative", "positive"].index(label) for label in y])
    return EncoderScores.fit(str(folder), X, ids, 2, seed=0)


def _classifier(scores: Any) -> PolarityClassifier:
    fitted = fitted_polarity()
    settings = replace(
        fitted.model_.settings, encoder=scores.vectors.encoder, encoder_share=SHARE
    )
    model = replace(fitted.model_, settings=settings, encoder=scores)
    return PolarityClassifier.from_model(model, [], {})


def test_vectors_of_the_middle_layers_are_averaged_by_place(folder: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    from emoclf.aspects.polarities.encoder_scores import _features
    from emoclf.contextual.input_vectors import InputVectors

    vectors = InputVectors.of_encoder(str(folder), pooled=False)
    other = Target("it was so dark", 10, 14)
    found = _features(vectors, [TARGET, other, TARGET._replace(start=20, stop=24)])
    tokens = AutoTokenizer.from_pretrained(folder)(TARGET.text, return_tensors="pt")
    with torch.inference_mode():
        output = AutoModel.from_pretrained(folder)(**tokens, output_hidden_states=True)
    states = torch.cat(output.hidden_states[1:], -1)[0].numpy()
    assert states.shape == (9, 2 * DIM)
    places = found.reshape(3, N_PLACES, 2 * DIM)
    # [CLS] a lovely gift and a dark night [SEP]
    np.testing.assert_allclose(places[0, 0], states[3], atol=1e-5)
    np.testing.assert_allclose(places[2, 0], states[6], atol=1e-5)
    rest = np.delete(states, 3, axis=0).mean(0)
    np.testing.assert_allclose(places[0, 4], rest, atol=1e-5)
    near = np.exp(-np.arange(3, 0, -1) / 4)
    left = near @ states[:3] / near.sum()
    np.testing.assert_allclose(places[0, 1], left, atol=1e-5)


def test_far_text_is_not_read_and_a_target_beyond_is_no_error(scores: Any) -> None:
    far = "and so " * 200
    targets = [
        Target(f"{end}{far}{TARGET.text}{far}{end}", start, start + 4)
        for end in ("dark ", "joy. ")
        for start in [5 + len(far) + 9]
    ]
    even = np.full((2, 2), 0.5)
    found = scores.mix(even, targets, 1.0)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    letters = "z" * 249
    beyond = scores.mix(even[:1], [Target(f"{letters} gift", 250, 254)], 1.0)
    assert np.isfinite(beyond).all()


@pytest.mark.slow
def test_logits_are_mixed(scores: Any) -> None:
    classifier = _classifier(scores)
    X, _ = labelled_targets(tiny_aspects())
    networks = fitted_polarity().predict_proba(X)
    alone = scores.mix(networks, X, 1.0)
    mixed = softmax(SHARE * np.log(alone) + (1 - SHARE) * np.log(networks), axis=1)
    np.testing.assert_allclose(classifier.predict_proba(X), mixed, atol=1e-5)
    np.testing.assert_allclose(scores.mix(networks, X, 0.0), networks, atol=1e-5)
    assert np.abs(mixed - networks).max() > 0.01
    assert classifier.predict_proba([]).shape == (0, 2)


def test_many_targets_are_sampled(
    scores: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emoclf.aspects.polarities import encoder_scores

    monkeypatch.setattr(place_scores, "MAX_TARGETS", 6)
    X, _ = labelled_targets(tiny_aspects())
    ids = np.arange(len(X))
    seen = []

    def fit(features: np.ndarray, label_ids: np.ndarray, n_classes: int) -> Any:
        seen.append((features, label_ids))
        return scores.coefficients, scores.bias

    monkeypatch.setattr(encoder_scores, "fit_averages", fit)
    for seed in (0, 0, 1):
        encoder_scores.EncoderScores.fit(str(folder), X, ids, 2, seed=seed)
    (features, rows), (_, again), (_, other) = seen
    assert len({*rows}) == 6
    assert rows.tolist() == again.tolist() != other.tolist()
    expected = encoder_scores._features(scores.vectors, [X[i] for i in rows])
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_it_is_saved_pickled_and_checked(scores: Any) -> None:
    classifier = _classifier(scores)
    X = [TARGET]
    expected = classifier.predict_proba(X)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    values = polarity_values(classifier)
    values["polarity_weights"]["encoder/bias"] = np.zeros(3, np.float32)
    with pytest.raises(BundleError, match=r"encoder/bias must be .* shape \(2,\)"):
        polarity_from_values(values)


@pytest.mark.slow
def test_an_encoder_may_move(scores: Any, folder: Path, tmp_path: Path) -> None:
    model = AspectModel(fitted_tagger(), _classifier(scores))
    path = model.save(tmp_path / "model.aspects")
    moved = folder.rename(tmp_path / "moved")
    try:
        with pytest.raises(ModelError, match="If it was moved"):
            AspectModel.load(path).polarity.predict_proba([TARGET])  # type: ignore[union-attr]
        loaded = AspectModel.load(path, encoder=moved)
        assert loaded.polarity is not None
        np.testing.assert_allclose(
            loaded.polarity.predict_proba([TARGET]),
            model.polarity.predict_proba([TARGET]),  # type: ignore[union-attr]
            atol=1e-6,
        )
    finally:
        moved.rename(folder)
    without = tiny_model().save(tmp_path / "without.aspects")
    with pytest.raises(BundleError, match=r"was not\. Leave it out"):
        AspectModel.load(without, encoder=folder)


@pytest.mark.slow
def test_no_export_leaves_an_encoder_out(scores: Any, tmp_path: Path) -> None:
    model = AspectModel(fitted_tagger(), _classifier(scores))
    with pytest.raises(ExportError, match="in part from a transformer encoder"):
        export_aspects(model, tmp_path / "out", to="onnx")
    assert not (tmp_path / "out").exists()


def test_an_encoder_that_would_be_ignored_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match="none is trained on"):
        AspectModel.train(
            tiny_aspects(), polarity={"encoder": str(folder)}, learn_polarity=False
        )


def test_a_missing_encoder_is_an_error_before_the_tagger_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoclf.aspects.tagger.AspectTagger.fit", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="cannot be loaded"):
        AspectModel.train(tiny_aspects(), polarity={"encoder": str(tmp_path / "empty")})


@pytest.mark.slow
def test_a_classifier_is_fitted_with_it(folder: Path) -> None:
    from tiny_aspects import tiny_polarity

    X, y = labelled_targets(tiny_aspects())
    classifier = tiny_polarity(encoder=str(folder), epochs=1).fit(X, y)
    model = classifier.model_
    assert model.encoder is not None
    networks = replace(model, encoder=None).predict_proba(X)
    mixed = model.encoder.mix(networks, X, model.settings.encoder_share)
    np.testing.assert_allclose(classifier.predict_proba(X), mixed, atol=1e-6)
    assert np.abs(mixed - networks).max() > 0.01
