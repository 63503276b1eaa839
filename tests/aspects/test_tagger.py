"""The tagger: learning, seeds, confidences, and the contract of estimators."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from tiny_aspects import fitted_tagger, tiny_aspects, tiny_tagger

from emoclf.aspects.polarities.polarity_network import PolaritySettings
from emoclf.aspects.tagger import AspectTagger
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.span_model import SpanModel
from emoclf.aspects.terms.tagging_graph import SpanDecoder
from emoclf.errors import DataError, SettingsError

TEXT = "Well, the Onion Soup is awful; I found the screen great, really."


def test_it_learns_and_finds_terms_with_offsets_and_confidences() -> None:
    data, tagger = tiny_aspects(), fitted_tagger()
    assert tagger.score(data) > 0.95
    assert tagger.score(data.texts, data.spans) == tagger.score(data)
    (found,) = tagger.predict_spans([TEXT])
    assert "screen" in [x.term for x in found]
    for term in found:
        assert TEXT[term.start : term.stop] == term.term
        assert 0 < term.confidence <= 1
    assert tagger.predict([TEXT]) == [[x[:3] for x in found]]
    assert tagger.predict(["", "   "]) == [[], []]
    scores = tagger.validation_
    assert scores["tagger"]["f1"] >= scores["dictionary"]["f1"] > 0.5


def test_terms_are_those_of_all_texts_once() -> None:
    texts = ["the screen is great", "the Screen is awful", "the bill is great"]
    assert fitted_tagger().terms(texts) == ["screen", "bill"]
    assert fitted_tagger().terms(texts[0]) == ["screen"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [
        {"network": "cnn", "epochs": 20, "learning_rate": 0.005},
        {"scheme": "BIOES", "typed": True, "epochs": 20, "members": 2},
        {"crf": False, "characters": False},
    ],
)
def test_every_form_learns(parameters: dict[str, Any]) -> None:
    data = tiny_aspects()
    tagger = tiny_tagger(**parameters).fit(data)
    assert tagger.score(data) > 0.9
    labels = {label for spans in tagger.predict(data.texts) for _, _, label in spans}
    typed = parameters.get("typed", False)
    assert labels == ({"positive", "negative"} if typed else {None})
    assert len(tagger.history_) == parameters.get("members", 1)


@pytest.mark.slow
def test_equal_seeds_give_equal_weights_and_others_do_not() -> None:
    data = tiny_aspects()
    weights = []
    for seed in (3, 3, 4):
        # A killed training compares BiLSTMs.
        tagger = tiny_tagger(epochs=1, random_state=seed, network="cnn").fit(data)
        weights.append(tagger.model_.networks[0].training.get_weights())
    first, second, other = weights
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, first, other))


def test_padding_and_neighbours_change_nothing() -> None:
    tagger = fitted_tagger()
    texts = [TEXT, "the bill is great", " and ".join([TEXT] * 9)]
    together = tagger.predict_spans(texts)
    for text, found in zip(texts, together, strict=True):
        (alone,) = tagger.predict_spans([text])
        assert [x[:3] for x in alone] == [x[:3] for x in found]
        for a, b in zip(alone, found, strict=True):
            assert a.confidence == pytest.approx(b.confidence, abs=1e-5)


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_confidences_are_sums_over_all_paths(scheme: str) -> None:
    from itertools import product

    from emoclf.aspects.data.tags import decode_tags
    from emoclf.models.crf import CRF, tag_constraints

    tags = {"BIO": ("O", "B", "I"), "BIOES": ("O", "B", "I", "E", "S")}[scheme]
    crf = CRF(len(tags), **tag_constraints(tags))
    crf.build((None, None, len(tags)))
    rng = np.random.default_rng(5)
    crf.transitions.assign(rng.normal(size=crf.transitions.shape))
    emissions = rng.normal(size=(1, 4, len(tags))).astype(np.float32)
    start, steps, end = (np.asarray(x, np.float64) for x in crf.scores())
    totals: dict[Any, float] = {}
    log_z = float(crf.log_partition(emissions)[0])
    for path in product(range(len(tags)), repeat=4):
        score = start[path[0]] + end[path[-1]]
        score += sum(emissions[0, t, tag] for t, tag in enumerate(path))
        score += sum(steps[a, b] for a, b in pairwise(path))
        for span in decode_tags([tags[i] for i in path]):
            totals[span] = totals.get(span, 0.0) + np.exp(score - log_z)
    # Padding changes nothing.
    padded = np.concatenate([emissions, rng.normal(size=(1, 3, len(tags)))], 1)
    for values, length in ((emissions, 4), (padded.astype(np.float32), 7)):
        mask = np.arange(length)[None] < 4
        outputs = SpanDecoder(tags, [crf])(tf.constant(values), tf.constant(mask))
        rows = {name: value.numpy()[0] for name, value in outputs.items()}
        found = decode_tags([tags[i] for i in rows["tags"]])
        assert found
        assert np.flatnonzero(rows["begins"]).tolist() == [x.first for x in found]
        assert np.flatnonzero(rows["ends"]).tolist() == [x.end - 1 for x in found]
        for span in found:
            confidence = rows["confidence"][span.first]
            assert confidence == pytest.approx(totals[span], abs=1e-5)


@pytest.mark.slow
def test_it_is_an_estimator() -> None:
    tagger = tiny_tagger(epochs=1)
    assert clone(tagger).get_params() == tagger.get_params()
    data = tiny_aspects()
    split = [(np.arange(40), np.arange(40, 80))]
    search = GridSearchCV(tagger, {"units": [2, 4]}, cv=split, refit=False)
    search.fit(data.texts, data.spans)
    assert search.best_params_["units"] in (2, 4)
    again = pickle.loads(pickle.dumps(fitted_tagger()))
    assert again.predict_spans([TEXT]) == fitted_tagger().predict_spans([TEXT])


def test_wrong_input_is_an_error() -> None:
    data = tiny_aspects()
    with pytest.raises(DataError, match="data must be AspectData"):
        tiny_tagger().fit(data.texts)
    with pytest.raises(DataError, match="has no terms to learn from"):
        tiny_tagger().fit(data.texts, [[] for _ in data.texts])
    bare = [[term[:2] for term in terms] for terms in data.spans]
    with pytest.raises(DataError, match="a term has no label"):
        tiny_tagger(typed=True).fit(data.texts, bare)
    with pytest.raises(SettingsError, match=r"one of bilstm, cnn \(did you mean"):
        tiny_tagger(network="bilstn").fit(data)
    with pytest.raises(DataError, match="too few for 2 parts"):
        tiny_tagger().fit(["one text only"], [[(0, 3)]])


@pytest.mark.slow
def test_a_validation_set_can_be_given_and_if_nothing_is_found_in_it_that_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = tiny_aspects()
    train, valid = data.take(range(60)), data.take(range(60, 80))
    monkeypatch.setattr(SpanModel, "predict", lambda self, texts: [[] for _ in texts])
    tagger = tiny_tagger(network="cnn", epochs=1).fit(
        train.texts, train.spans, validation_data=(valid.texts, valid.spans)
    )
    assert tagger.validation_["tagger"]["n_sentences"] == 20
    assert tagger.parts_.metrics["sentences"] == {"train": 60, "valid": 20}
    assert caplog.text.count("The tagger finds no term in the validation set") == 1


@pytest.mark.slow
def test_the_doctor_watches_the_training(tmp_path: Path) -> None:
    assert fitted_tagger().findings_ == ()
    tagger = tiny_tagger(learning_rate=5.0, epochs=2).fit(tiny_aspects())
    names = [finding.name for finding in tagger.findings_]
    assert names[:2] == ["learning-rate-out-of-range", "updates-too-large"]
    assert {"gradient_norm", "update_ratio"} <= {*tagger.history_[0]}
    tagger.save(tmp_path / "tagger")
    assert AspectTagger.load(tmp_path / "tagger").findings_ == tagger.findings_


def test_an_encoder_is_no_setting_of_a_tagger() -> None:
    # It would be ignored; polarities have one.
    with pytest.raises(SettingsError, match="no setting 'encoder'"):
        AspectSettings.from_dict({"encoder": "an/encoder"})
    assert PolaritySettings.from_dict({"encoder": "an/encoder"}).encoder == "an/encoder"
