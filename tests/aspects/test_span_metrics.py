"""Scores of spans, also against a second implementation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoclf.aspects.terms.span_metrics import span_scores

LENGTH = 30


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Draw spans that do not overlap, with labels."""
    borders = sorted(draw(st.sets(st.integers(0, LENGTH), max_size=10)))
    pairs = zip(borders[::2], borders[1::2], strict=False)
    return [(a, b, draw(st.sampled_from(["pos", "neg"]))) for a, b in pairs]


@settings(max_examples=60)
@given(st.lists(st.tuples(spans(), spans()), min_size=1, max_size=4))
def test_exact_scores_are_those_of_nervaluate(texts: list) -> None:
    nervaluate = pytest.importorskip("nervaluate")
    gold, predicted = ([list(x) for x in side] for side in zip(*texts, strict=True))

    def as_dicts(lists: list) -> list:
        # Its last offset is part of the span.
        return [
            [{"label": x, "start": a, "end": b - 1} for a, b, x in row] for row in lists
        ]

    theirs = nervaluate.Evaluator(
        as_dicts(gold), as_dicts(predicted), tags=["pos", "neg"], loader="dict"
    ).evaluate()["overall"]["strict"]
    ours = span_scores(gold, predicted)
    assert ours.n_exact == theirs.correct
    assert ours.f1 == pytest.approx(theirs.f1)
    assert ours.precision == pytest.approx(theirs.precision)
    assert ours.recall == pytest.approx(theirs.recall)
    assert ours.f1 <= ours.partial_f1 + 1e-12 <= 1 + 1e-9
    assert sum(ours.errors.get(x, 0) for x in ("boundary", "label", "invented")) == (
        ours.n_predicted - ours.n_exact
    )


def test_errors_by_kind() -> None:
    gold = [[(0, 4, "a"), (5, 9, "a"), (10, 14, "a"), (20, 24, "a")]]
    found = [[(0, 4, "a"), (5, 8, "a"), (10, 14, "b"), (15, 18, "a")]]
    scores = span_scores(gold, found)
    assert scores.errors == {"boundary": 1, "label": 1, "missed": 1, "invented": 1}
    assert scores.partial == pytest.approx(1 + 3 / 4)
    assert scores.n_exact == 1


def test_two_predictions_of_one_term_count_once() -> None:
    scores = span_scores([[(0, 10)]], [[(0, 4), (5, 10)]])
    assert scores.partial == pytest.approx(0.5)
    assert scores.errors == {"boundary": 2}


def test_unseen_terms() -> None:
    texts = ["Good Soup, bad bread"]
    gold = [[(5, 9), (15, 20)]]
    scores = span_scores(gold, [[(15, 20)]], texts=texts, seen={"soup"})
    assert (scores.n_unseen, scores.unseen_recall) == (1, 1.0)
    assert span_scores(gold, gold).unseen_recall is None


def test_sums_and_tables() -> None:
    total = span_scores([[(0, 2)], [(0, 2)]], [[(0, 2)], [(0, 1)]])
    assert (total.n_sentences, total.n_gold, total.n_exact) == (2, 2, 1)
    assert total.f1 == 0.5
    assert total.lines()[0] == "2 sentences, 2 terms, 2 predicted, 1 exact"
    assert total.lines()[-1] == "errors: 1 boundary"
    assert total.to_dict()["partial_f1"] == pytest.approx(0.75)
    empty = span_scores([[]], [[]])
    assert (empty.f1, empty.precision, empty.recall) == (0, 0, 0)
