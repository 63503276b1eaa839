"""SHAP explains raw texts through ``predict_proba``, and finds the same words."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from tiny import WORDS, tiny_trained

from emoclf.explain.text_explainer import explain_text

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shap() -> Any:
    with warnings.catch_warnings():
        # Warnings of its imports are not about this package.
        warnings.simplefilter("ignore")
        return pytest.importorskip("shap")


def test_the_largest_word_is_the_same(shap: Any) -> None:
    trained = tiny_trained()
    texts = [f"it was {words[0]} at home" for words in WORDS.values()]
    explainer = shap.Explainer(
        lambda texts: trained.predict_proba(list(texts)),
        shap.maskers.Text(r"\W+"),
        # The one that SHAP chooses for texts.
        algorithm="partition",
        output_names=list(trained.label_names),
        seed=0,
    )
    for text, found in zip(texts, explainer(texts, silent=True), strict=True):
        ours = explain_text(trained, text)
        (label,) = ours.labels
        column = ours.index(label)
        theirs = found.values[:, column]
        assert found.data[int(np.argmax(theirs))].strip() == text.split()[2]
        assert max(ours.words(label), key=lambda word: word[1])[0] == text.split()[2]
        # Shares of a probability, which ours are not, sum as well.
        total = found.base_values[column] + theirs.sum()
        assert total == pytest.approx(ours.probabilities[column], abs=1e-3)
