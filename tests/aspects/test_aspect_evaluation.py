"""Scores of a model beside baselines, their intervals, and the verdict.

Covers sentence_bootstrap.py too.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tiny_aspects import fitted_tagger, tiny_aspects, tiny_model

from emoclf.aspects.aspect_evaluation import DICTIONARY, AspectEvaluation
from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.opinions import Opinion, Opinions
from emoclf.aspects.sentence_bootstrap import macro_f1_draws, span_draws
from emoclf.aspects.terms.span_metrics import SpanScores, span_scores
from emoclf.evaluation.bootstrap import resampled_counts, resampled_metrics

#: They share a model, whose training takes some seconds.
pytestmark = pytest.mark.slow


def evaluation() -> AspectEvaluation:
    data = tiny_aspects()
    return tiny_model().evaluate(data.take(range(0, 80, 2)), train=data)


def test_an_evaluation_is_a_mapping_with_its_predictions() -> None:
    found = evaluation()
    assert list(found) == ["terms", "polarity", "both"]
    assert len(found) == 3
    assert found["terms"].f1 > 0.95
    assert len(found.opinions) == 40
    shares = [x.predicted == x.label for x in found.true_polarities]
    assert np.mean(shares) == pytest.approx(found["polarity"]["accuracy"])
    assert found.to_dict()["terms"]["f1"] == found["terms"].f1
    assert "F1 " in repr(found)
    assert "<pre>" in found._repr_html_()


def test_baselines_are_compared_on_the_same_sentences() -> None:
    found = evaluation()
    assert found.baselines is not None
    names = [x.baseline for x in found.comparisons]
    assert names[:2] == [DICTIONARY, "majority class"]
    terms, majority = found.comparisons[:2]
    assert terms.difference == pytest.approx(
        found["terms"].f1 - found.baseline_scores["terms"].f1
    )
    assert majority.beaten
    assert terms.low <= terms.difference <= terms.high
    again = tiny_model().baselines(tiny_aspects(), found.data)
    assert again["polarity"] == found.baseline_scores["polarity"]
    low, high = found.intervals["f1"]
    assert low <= found["terms"].f1 <= high


def test_the_verdict_claims_no_more_than_the_intervals_allow() -> None:
    # The dictionary knows these terms too, so the tagger cannot be better.
    words = " ".join(evaluation().verdict())
    assert f"The tagger cannot be told apart from a {DICTIONARY}" in words
    assert "Try: " in words
    bare = tiny_model().evaluate(tiny_aspects().take(range(8)))
    words = " ".join(bare.verdict())
    assert "Evaluated without baselines" in words
    assert "Try: " not in words
    assert "better" not in words
    none = AspectModel(fitted_tagger()).evaluate(AspectData(()))
    assert none.verdict() == ["There are no sentences to evaluate."]
    assert none.lines()[0].startswith("0 sentences")


def test_a_tagger_that_finds_nothing_is_worse_than_the_dictionary() -> None:
    found = evaluation()
    nothing = Opinions(found.data.texts, [[] for _ in found.data])
    empty = AspectEvaluation(found.model, found.data, nothing, found.baselines)
    assert f"The tagger is worse than a {DICTIONARY}" in " ".join(empty.verdict())
    assert empty.intervals["f1"] == (0.0, 0.0)


def test_terms_without_polarity_have_no_scores_of_polarity() -> None:
    data = tiny_aspects()
    found = AspectModel(fitted_tagger()).evaluate(data, train=data)
    assert list(found) == ["terms"]
    assert found.true_polarities == []
    assert len(found.comparisons) == 1
    assert not any("olarity" in line for line in found.lines())


def test_draws_of_sentences_are_scores_of_repeated_sentences() -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(12):
        gold = [(i * 5, i * 5 + 4) for i in range(rng.integers(0, 4))]
        pairs.append((gold, [(a, b - int(rng.integers(0, 2))) for a, b in gold][:2]))

    def scores(pairs: list) -> SpanScores:
        gold, found = zip(*pairs, strict=True)
        return span_scores(gold, found, texts=["x" * 30] * len(pairs), seen=())

    draws = span_draws([scores([pair]) for pair in pairs])
    _, counts = next(resampled_counts(12))
    for number in range(5):
        times = counts[number].astype(int)
        expected = scores(
            [pair for pair, n in zip(pairs, times, strict=True) for _ in range(n)]
        )
        for name in draws:
            assert draws[name][number] == pytest.approx(getattr(expected, name) or 0.0)


def test_draws_of_polarities_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    names = np.array(["negative", "neutral", "positive"])
    labels, predicted = names[rng.integers(0, 3, 30)], names[rng.integers(0, 3, 30)]
    texts = [f"sentence {i // 3}" for i in range(30)]
    draws = macro_f1_draws(texts, list(labels), list(predicted))
    sentence = np.unique(texts, return_inverse=True)[1]
    _, counts = next(resampled_counts(10))
    for number in range(5):
        times = counts[number].astype(int)[sentence]
        drawn = np.repeat(labels, times), np.repeat(predicted, times)
        expected = f1_score(*drawn, average="macro", zero_division=0)
        assert draws[number] == pytest.approx(expected)


def test_terms_of_one_sentence_are_drawn_together() -> None:
    # Ten equal terms in each sentence tell no more than one.
    labels = ["positive", "negative"] * 10
    predicted = ["positive", "positive", "negative", "negative"] * 5
    texts = [str(i) for i in range(20)]
    one = macro_f1_draws(texts, labels, predicted)
    ten = macro_f1_draws(texts * 10, labels * 10, predicted * 10)
    np.testing.assert_allclose(one, ten)


def test_the_draws_of_texts_are_what_they_were() -> None:
    truth = np.arange(60) % 3
    predicted = np.where(np.arange(60) % 7, truth, 0)
    metrics = resampled_metrics(predicted, truth, 3, draws=150)
    rng = np.random.default_rng(0)
    for value in metrics["accuracy"]:
        rows = rng.integers(0, 60, 60)
        assert value == pytest.approx((predicted == truth)[rows].mean())


def test_opinions_need_no_polarity() -> None:
    data = AspectData.from_lists(["the bill"], [[(4, 8)]])
    found = Opinions(data.texts, [[Opinion("bill", None, 4, 8, 0.9, None)]])
    assert AspectEvaluation(tiny_model(), data, found)["terms"].f1 == 1.0
