"""Exact explanations sum to the logits, for bundles and for folded exports.

Covers exact_shares.py, text_terms.py, bundle_terms.py, folded_terms.py, explainer.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_networks as networks

from emoclf.errors import SettingsError
from emoclf.explain.exact_shares import exact_shares
from emoclf.explain.text_explainer import explain_text
from emoclf.explain.text_terms import FilterTerms, NgramTerms, TextTerms
from emoclf.export.folded import draft_folded, export_folded
from emoclf.export.parity import HARD_TEXTS
from emoclf.folded import load_folded
from emoclf.folded.head import probabilities
from emoclf.folded.word_rows import windows_of
from emoclf.predictor import Predictor

TABLE: list[dict[str, Any]] = [
    {"ngrams": True, "kernel_sizes": (2, 3)},
    {"padding": "valid", "stride": 2},
    {"activation": "sigmoid", "batch_norm": True},
    {"pooling": "average", "activation": "tanh", "stride": 2},
    {"architecture": "mean_embedding", "bigram_buckets": 500},
    {"ngrams": False},
    {"stride": 3, "kernel_sizes": (2, 5), "activation": "elu"},
    {"pooling": "average", "padding": "valid", "batch_norm": True},
    {"embedding": "two-channel", "activation": "tanh", "kernel_sizes": (1,)},
    {"kernel_sizes": (9, 3), "activation": "elu", "tokenizer": "characters"},
    {"filters": 50, "lowercase": False, "stop_words": ["the", "a"], "max_length": 9},
    {"architecture": "mean_embedding", "bigram_buckets": 0},
    {"architecture": "ngram_linear"},
    {"tokenizer": "jieba"},
]
#: Number of rows that the quick tests have.
N_QUICK = 5
TEXTS = [*HARD_TEXTS[:12], "Word", "a\0b", "x\ud800", "xqz qqq", *networks.texts()[:12]]


def predictor_of(row: dict[str, Any], **more: Any) -> Predictor:
    width = {} if "architecture" in row else {"filters": 9}
    return networks.random_predictor(**{**width, **row, **more})


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=pytest.mark.slow if number >= N_QUICK else ())
        for number, row in enumerate(TABLE)
    ],
    ids=str,
)
def test_words_phrases_and_bias_sum_to_the_logits(
    row: dict[str, Any], tmp_path: Path
) -> None:
    predictor = predictor_of(row, multilabel=len(row) == 2)
    folded = load_folded(draft_folded(predictor, tmp_path / "f"))
    expected = predictor.predict_proba(TEXTS)
    for text, row_of_text in zip(TEXTS, expected, strict=True):
        found = explain_text(predictor, text)
        assert found.is_exact
        logits = found.bias + found.contributions.sum(0)
        np.testing.assert_allclose(logits, found.logits, atol=1e-4)
        phrases = found.bias + sum(phrase.contributions for phrase in found.phrases)
        np.testing.assert_allclose(phrases, logits, atol=1e-4)
        same = probabilities(logits[None].copy(), multilabel=predictor.multilabel)[0]
        np.testing.assert_allclose(same, row_of_text, atol=2e-6)
        np.testing.assert_allclose(found.probabilities, row_of_text, atol=2e-6)
        numpy = explain_text(folded, text)
        assert numpy.tokens == found.tokens
        assert numpy.labels == found.labels
        for name in ("logits", "bias", "contributions"):
            here, there = getattr(numpy, name), getattr(found, name)
            np.testing.assert_allclose(here, there, atol=1e-4)
        shares = {(*p.tokens, p.start): p.contributions for p in numpy.phrases}
        for phrase in found.phrases:
            there = shares.pop((*phrase.tokens, phrase.start), np.zeros(5))
            np.testing.assert_allclose(there, phrase.contributions, atol=1e-4)
        assert not any(np.abs(rest).max() > 1e-4 for rest in shares.values())


def test_a_network_that_is_computed_by_hand() -> None:
    # One filter of two words, for which the second pair answers: 2 + 3 - 1 = 4.
    (windows,) = windows_of((2,), "valid", 1)
    terms = np.array([[[1.0], [0.5]], [[2.0], [0.25]], [[9.0], [3.0]]], np.float32)
    group = FilterTerms(windows, terms, np.array([-1.0], np.float32))
    head = np.array([[10.0, -1.0]], np.float32)
    words = np.array([[1, 0], [0, 0], [0, 0]], np.float32)
    pairs = np.array([[0, 4], [0, 0]], np.float32)
    bias = np.array([0.5, 0.25], np.float32)
    ngrams = [NgramTerms(words, pairs)]
    found = exact_shares(TextTerms([group], "max", "relu", head, ngrams, bias), 3)
    np.testing.assert_allclose(found.words, [[1, 2], [20, 0], [30, -3]])
    # The filter's bias of -1 joins the classes' biases.
    np.testing.assert_allclose(found.bias, [0.5 - 10, 0.25 + 1])
    shares = dict(zip(found.spans, found.phrases.tolist(), strict=True))
    assert shares == {(1, 3): [50, -5], (0, 1): [1, 0], (0, 2): [0, 4]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "bound"),
    [({"precision": "int16"}, 1e-3), ({"engine": "numba"}, 1e-5)],
)
def test_folded_classifiers_of_any_kind_have_the_float32_explanation(
    options: dict[str, Any], bound: float, tmp_path: Path
) -> None:
    path = draft_folded(predictor_of({}), tmp_path / "f")
    expected, found = (
        explain_text(load_folded(path, **more), TEXTS[-1]) for more in ({}, options)
    )
    np.testing.assert_allclose(found.contributions, expected.contributions)
    assert ("rounds these numbers to int16" in found.description) == (bound > 1e-4)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=bound)


def test_rounded_vectors_are_explained_exactly(tmp_path: Path) -> None:
    path = export_folded(predictor_of({"ngrams": True}), tmp_path / "f", int8=True)
    classifier = load_folded(path)
    found = explain_text(classifier, TEXTS[-1])
    same = probabilities(found.logits[None].copy(), multilabel=False)[0]
    np.testing.assert_allclose(
        same, classifier.predict_proba([TEXTS[-1]])[0], atol=1e-5
    )


def test_changed_weights_change_the_explanation() -> None:
    predictor = predictor_of({})
    before = explain_text(predictor, "It was lovely.")
    layer = predictor.model.get_layer("logits")
    layer.bias.assign_add([1.0, 0, 0, 0, 0])
    after = explain_text(predictor, "It was lovely.")
    np.testing.assert_allclose(after.bias - before.bias, [1, 0, 0, 0, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"hidden": 7}, "a hidden layer mixes its n-grams"),
        ({"pooling": "k-max"}, "with k-max pooling a text_cnn is not a sum"),
        ({"architecture": "bilstm", "units": 3}, "bilstm is not a sum over n-grams"),
    ],
)
def test_the_reason_why_there_is_none(row: dict[str, Any], reason: str) -> None:
    predictor = predictor_of(row)
    with pytest.raises(SettingsError, match=f"no exact explanation: {reason}"):
        explain_text(predictor, "Word", method="exact")


def test_a_folded_hidden_layer_is_not_exact(tmp_path: Path) -> None:
    folded = load_folded(draft_folded(predictor_of({"hidden": 7}), tmp_path / "f"))
    assert explain_text(folded, "It was lovely.").method == "occlusion"
    with pytest.raises(SettingsError, match="needs the gradients of a Keras"):
        explain_text(folded, "It was lovely.", method="integrated-gradients")


def test_numpy_and_the_standard_library_are_enough(tmp_path: Path) -> None:
    path = draft_folded(predictor_of({}), tmp_path / "f")
    program = """
import sys
from emoclf import explain_text, load_exported, explain_corpus
found = explain_text(sys.argv[1], "It was LOVELY!")
assert found.is_exact and found.lines() and found.to_html() and found.to_dict()
explain_corpus(load_exported(sys.argv[1]), ["It was lovely."] * 2).lines()
roots = {name.partition(".")[0] for name in sys.modules}
foreign = roots - set(sys.stdlib_module_names) - {"numpy", "emoclf", "__main__"}
assert not {name for name in foreign if not name.startswith("_")}, foreign
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
