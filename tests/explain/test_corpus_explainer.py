"""The global view: phrases over a corpus, and what filters look for.

Covers corpus_explainer.py and corpus_explanation.py.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import random_networks as networks
from tiny import WORDS, tiny_dataset, tiny_trained

from emoclf.errors import DataError, SettingsError
from emoclf.explain.corpus_explainer import explain_corpus
from emoclf.explain.text_explainer import explain_text


def test_the_words_of_a_class_drive_it() -> None:
    found = explain_corpus(tiny_trained(), tiny_dataset(), top=6)
    assert found.n_texts == 60
    for label, words in WORDS.items():
        phrases = " ".join(effect.phrase for effect in found.phrases_for[label])
        assert sum(word in phrases for word in words) >= 3
        for effect in found.phrases_against[label]:
            assert effect.total < 0
    lines = found.lines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Phrases that drive each label over 60 texts"
    assert "for joy" in "\n".join(lines)
    assert "for fear" not in "\n".join(found.lines(label="joy"))
    with pytest.raises(DataError, match="no label 'jo'"):
        found.lines(label="jo")
    assert list(found.to_frame()) == ["label", "phrase", "texts", "mean", "total"]
    assert json.loads(json.dumps(found.to_dict()))["texts"] == 60
    assert "<pre>" in found._repr_html_()
    assert "texts 60" in repr(found)


@pytest.mark.parametrize("multilabel", [False, True])
def test_sums_are_those_of_single_explanations(multilabel: bool) -> None:
    predictor = networks.random_predictor(filters=5, ngrams=True, multilabel=multilabel)
    texts = list(networks.texts()[:12])
    found = explain_corpus(predictor, texts, top=10_000, min_count=1)
    label = predictor.label_names[2]
    effects = found.phrases_for[label] + found.phrases_against[label]
    total = sum(effect.total for effect in effects)
    singles = [explain_text(predictor, text) for text in texts]
    sums = np.sum([single.contributions.sum(0) for single in singles], 0)
    # Softmax sees differences between classes alone.
    expected = sums[2] - (0 if multilabel else sums.mean())
    assert total == pytest.approx(expected, abs=1e-3)
    totals = [effect.total for effect in found.phrases_for[label]]
    assert totals == sorted(totals, reverse=True)
    rare = explain_corpus(predictor, texts, min_count=12)
    assert all(effect.texts == 12 for effect in rare.phrases_for[label])
    none = explain_corpus(predictor, texts, min_count=99).lines()[0]
    assert none.endswith("no phrase is in enough texts; lower min_count")


def test_filters_show_their_largest_ngrams() -> None:
    predictor = networks.random_predictor(
        filters=4, kernel_sizes=(2,), activation="tanh", padding="valid"
    )
    texts = list(networks.texts()[:15])
    found = explain_corpus(predictor, ["", *texts], top=3)
    assert len(found.filters) == 4
    view = next(view for view in found.filters if view.number == 1)
    head = predictor.model.get_layer("logits").kernel.numpy()
    np.testing.assert_allclose(view.weights, head[1], rtol=1e-6)
    assert len(view.ngrams) == 3
    # The convolution itself, at every pair of words.
    best: dict[str, float] = {}
    layer = predictor.model.get_layer("conv_2")
    table = predictor.model.get_layer("embedding").embeddings.numpy()
    encoder = predictor.bundle.encoder
    for tokens in encoder.tokenizer.batch(texts):
        vectors = table[encoder.vocabulary.ids(tokens)]
        outputs = np.tanh(layer(vectors[None]).numpy()[0, :, 1])
        for place, value in enumerate(outputs.tolist()):
            if tokens[place + 1 :]:
                pair = f"{tokens[place]} {tokens[place + 1]}"
                best[pair] = max(value, best.get(pair, -2))
    largest = sorted(best.values(), reverse=True)
    values = [value for _, value in view.ngrams]
    np.testing.assert_allclose(values[0], largest[0], atol=1e-5)
    assert all(best[ngram] == pytest.approx(v, abs=1e-5) for ngram, v in view.ngrams)


def test_other_networks_and_methods_have_words_only() -> None:
    predictor = networks.random_predictor(filters=3, hidden=4)
    texts = list(networks.texts()[:3])
    found = explain_corpus(predictor, texts, method="occlusion", min_count=1)
    assert found.filters == ()
    assert found.method == "occlusion"
    label = predictor.label_names[0]
    assert all(" " not in effect.phrase for effect in found.phrases_for[label])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": []}, DataError, "no text to explain"),
        (
            {"texts": ["a", None]},
            DataError,
            "The text at index 1 must be a str. Got None",
        ),
        ({"texts": "a"}, DataError, "Got the single str 'a'"),
        ({"texts": ["a"], "top": 0}, SettingsError, "top must be a whole number"),
        ({"texts": ["a"], "min_count": 1.5}, SettingsError, "min_count must be"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        explain_corpus(tiny_trained(), **arguments)
