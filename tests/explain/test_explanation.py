"""Explanations as lines, HTML and JSON; what they say about words that are not read.

Covers explanation.py, explanation_lines.py, explanation_html.py, shading.py,
text_tokens.py, text_explainer.py.
"""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_networks as networks
from tiny import tiny_folded, tiny_trained

import emoclf
from emoclf.errors import BundleError, DataError, SettingsError
from emoclf.explain.explanation import Explanation
from emoclf.explain.explanation_html import html_page
from emoclf.explain.explanation_lines import word_rows
from emoclf.explain.shading import shade_of, share_of
from emoclf.explain.text_explainer import explain_text

READY = "sentiment-en"


@pytest.fixture(scope="module")
def classifier() -> Any:
    return emoclf.load_ready(READY)


def plain(explanation: Explanation, width: int = 80) -> str:
    return "\n".join(explanation.lines(width, colour=False))


def test_every_kind_of_classifier_can_be_given(classifier: Any) -> None:
    trained = tiny_trained()
    text = "it was lovely at home"
    expected = explain_text(trained.predictor, text)
    assert expected.labels == ("joy",)
    assert max(expected.words("joy"), key=lambda word: word[1])[0] == "lovely"
    for model in (trained, trained.bundle):
        assert explain_text(model, text).labels == ("joy",)
    assert trained.explain(text).to_dict() == expected.to_dict()
    named = explain_text(READY, "What a lovely day!")
    assert classifier.explain("What a lovely day!").to_dict() == named.to_dict()
    with pytest.raises(BundleError, match=r"no ready classifier.*'sentiment-en'"):
        explain_text("sentimnt-en", text)
    with pytest.raises(BundleError, match=r"must be a Predictor. Got 7"):
        explain_text(7, text)


def test_wrong_arguments_are_named(classifier: Any) -> None:
    for text in (None, 3, ["a", "b"], b"a"):
        with pytest.raises(DataError, match=r"text must be a str. Got"):
            explain_text(classifier, text)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"no label 'positiv'. Did you mean 'positive'"):
        explain_text(classifier, "good", label="positiv")
    with pytest.raises(SettingsError, match="Did you mean 'occlusion'"):
        explain_text(classifier, "good", method="oclusion")


def test_places_are_those_of_the_original_text(classifier: Any) -> None:
    text = "  So HAPPY!!!!! İt's 3.5 👍🏽 :-)\ttoo"
    found = classifier.explain(text)
    written = [text[token.start : token.stop] for token in found.tokens]
    assert written == ["So", "HAPPY", "!!!!!", "İt's", "3.5", "👍🏽", ":-)", "too"]
    assert found.tokens[1].text == "happy"
    for phrase in found.phrases:
        assert phrase.text == text[phrase.start : phrase.stop]
    largest = [
        abs(p.contributions[found.index(found.labels[0])]) for p in found.phrases
    ]
    assert largest == sorted(largest, reverse=True)


def test_lines_are_readable_without_colour(classifier: Any) -> None:
    found = classifier.explain(
        "I hated the food, but what a lovely, lovely place! " * 4
    )
    for width in (80, 40):
        lines = found.lines(width, colour=False)
        assert max(map(len, lines)) <= width
        assert "\x1b" not in "".join(lines)
    shown = plain(found)
    assert "for" in shown
    assert "against" in shown
    assert "lovely" in shown
    assert "Exact: the words and the bias sum to the logit." in shown
    other = plain(found.for_label("negative"))
    assert other.startswith("negative 0.")


def test_the_words_that_are_left_out_are_counted(classifier: Any) -> None:
    text = "a good day, but I hated the food and the noise, and will never come back"
    found = classifier.explain(text, label="positive")
    column = found.index("positive")
    first, *rows = word_rows(found, column)
    assert first[0] == "for"
    assert " ".join(rows[-1]).count(" more") == 2
    shown = sum(float(number) for row in rows for number in row[1::2] if number)
    assert shown == pytest.approx(found.contributions[:, column].sum(), abs=0.06)
    assert " more" not in plain(classifier.explain("lovely place"))


def test_words_are_coloured_in_a_terminal_only(
    classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "What a lovely day, and awful food"
    found = classifier.explain(text, label="positive")
    assert "\x1b" not in "".join(found.lines())
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = "\n".join(found.lines())
    assert "\x1b[48;5;26;38;5;231mlovely\x1b[0m" in coloured
    assert "\x1b[48;5;215;38;5;16mawful" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in "".join(found.lines())


def test_controls_of_a_text_do_not_reach_a_terminal(classifier: Any) -> None:
    shown = plain(classifier.explain("lovely\x1b[2J \u202eday\nand\ttime"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b" in shown


@pytest.mark.parametrize(("value", "shade"), [(1, 4), (-0.3, -2), (0.04, 0), (0, 0)])
def test_shades(value: float, shade: int) -> None:
    assert shade_of(share_of(value, 1.0), 4) == shade
    assert shade_of(share_of(value, 0.0), 4) == 0


def test_html_is_escaped_and_needs_nothing_else(classifier: Any) -> None:
    text = "<script>alert('x')</script> lovely & \"good\" \x1b[2J"
    found = classifier.explain(text)
    for page in (found._repr_html_(), found.to_html(), html_page([found, found])):
        assert "<script" not in page
        assert "http" not in page
        assert "\x1b" not in page
        assert "&lt;" in page
        assert "&amp;" in page
        assert "rgba(0,114,178" in page
    page = found.to_html()
    assert page.startswith("<!DOCTYPE html>")
    assert "color-scheme: light dark" in page


def test_json_has_all_numbers(classifier: Any) -> None:
    text = "What a lovely day!"
    found = classifier.explain(text)
    about = json.loads(json.dumps(found.to_dict()))
    assert about["labels"] == ["positive"]
    sums = np.array(about["bias"]) + np.sum(
        [token["contributions"] for token in about["tokens"]], 0
    )
    np.testing.assert_allclose(sums, about["logits"], atol=1e-4)
    assert [text[t["start"] : t["stop"]] for t in about["tokens"]][2] == "lovely"
    assert repr(found) == "<Explanation (exact) of 'What a lovely day!': positive>"


def test_texts_without_known_words_say_so(classifier: Any) -> None:
    for text in ("", " \n"):
        found = classifier.explain(text)
        np.testing.assert_allclose(found.bias, found.logits)
        assert found.notes == (
            "The classifier reads no word of this text: the bias decides.",
        )
        assert found.phrases == ()
        assert "reads no word" in plain(found)
        assert "reads no word" in found.to_html()
    unknown = classifier.explain("xqzzy qqzxv")
    assert "knows none of these words" in unknown.notes[0]
    assert "(unknown)" in plain(unknown) or not unknown.contributions.any()
    partly = classifier.explain("a lovely xqzzy")
    assert partly.notes == ("Unknown to the classifier: xqzzy.",)
    assert "unknown word" in partly.to_html()


def test_words_that_are_not_read_are_marked() -> None:
    predictor = networks.random_predictor(
        filters=3, stop_words=["the"], max_length=3, multilabel=True
    )
    found = explain_text(predictor, "the day was the one that I liked")
    reasons = [token.left_out for token in found.tokens]
    assert reasons == ["stop word", "", "", "stop word", "", "cut", "cut", "cut"]
    assert not found.contributions[[0, 3, 5, 6, 7]].any()
    assert found.contributions[1].any()
    assert found.notes[:2] == (
        "Not read: 3 words beyond the length at which the classifier cuts texts.",
        "Not read: 2 words left out as stop words.",
    )
    assert 'title="not read: cut"' in found.to_html()
    # Texts are cut for occlusion too: no word moves up into the place of another.
    occluded = explain_text(predictor, found.text, method="occlusion")
    without = predictor.predict_proba(["day was"])[0]
    odds = np.log(without / (1 - without))
    np.testing.assert_allclose(
        occluded.contributions[4], occluded.logits - odds, atol=1e-4
    )


def test_a_multilabel_text_shows_its_predicted_labels() -> None:
    predictor = networks.random_predictor(filters=9, multilabel=True)
    for text in networks.texts()[:10]:
        found = explain_text(predictor, text)
        (labels,) = predictor.predict([text])
        best = found.label_names[int(found.probabilities.argmax())]
        assert found.labels == (labels or (best,))


def test_a_classifier_is_forgotten_with_its_explainer(tmp_path: Path) -> None:
    for classifier in (
        networks.random_predictor(filters=3),
        emoclf.load_exported(tiny_folded(tmp_path)),
    ):
        classifier.explain("It was lovely.")
    gone = weakref.ref(classifier)
    del classifier
    gc.collect()
    assert gone() is None
