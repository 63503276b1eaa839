"""Learning curves."""

from __future__ import annotations

import pytest
from tiny import tiny_settings, tiny_split

from emoclf import SettingsError, learning_curve
from emoclf.workflow.learning_curve import LearningCurve


@pytest.mark.slow
def test_more_texts_are_better_on_the_tiny_corpus() -> None:
    curve = learning_curve(tiny_split(), tiny_settings(), shares=(1.0, 0.3), seeds=2)
    assert curve.part == "test"
    assert curve.sizes == (13, 42)
    assert [len(row) for row in curve.scores] == [2, 2]
    assert sum(curve.scores[1]) > sum(curve.scores[0])
    assert len(curve.to_frame()) == 4
    assert curve.plot().get_lines()


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ((0.60, 0.61), "more texts are worth it"),
        ((0.505, 0.515), "will gain little"),
        ((0.40, 0.41), "look at the added texts"),
        ((0.60,), "more seeds would tell"),
    ],
)
def test_the_verdict(last: tuple[float, ...], words: str) -> None:
    curve = LearningCurve("test", (500, 1000), ((0.5, 0.52)[: len(last)], last))
    assert words in curve.verdict()
    assert "From 500 to 1,000 texts" in " ".join(curve.lines())


@pytest.mark.parametrize("shares", [(), (0.5,), (0.0, 1.0), (0.5, 1.5)])
def test_wrong_shares(shares: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="at least two different numbers"):
        learning_curve(tiny_split(), shares=shares)
