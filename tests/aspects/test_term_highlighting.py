"""Texts with their terms highlighted, in notebooks and pages.

Covers opinions.py too.
"""

from __future__ import annotations

import re

from tiny_aspects import tiny_model

from emoclf.aspects.opinions import Opinion, Opinions
from emoclf.aspects.term_highlighting import highlight, key_to_marks
from emoclf.plots.term_plots import POLARITY_COLOURS

TEXT = "the hard disk is loud"


def plain(html: str) -> str:
    """Return HTML with <mark> as [ ], <u> as _ _, and without anything else."""
    html = re.sub(r"<mark .*?>", "[", html).replace("</mark>", "]")
    html = re.sub(r"</?u.*?>", "_", html)
    return re.sub(r"<.*?>", "", html)


def test_found_true_and_both_differ() -> None:
    hard_disk = (4, 13, "negative")
    assert plain(highlight(TEXT, [hard_disk])) == "the [hard disk−] is loud"
    assert plain(highlight(TEXT, [], [hard_disk])) == "the _hard disk_− is loud"
    both = highlight(TEXT, [hard_disk], [hard_disk])
    assert plain(both) == "the [_hard disk_−] is loud"
    assert both.count('role="img"') == 1


def test_another_polarity_is_outside_of_the_box() -> None:
    shown = highlight(TEXT, [(4, 13, "positive")], [(4, 13, "negative")])
    assert plain(shown) == "the [_hard disk_+]− is loud"
    assert 'aria-label="found: positive"' in shown
    assert 'aria-label="true: negative"' in shown


def test_terms_that_overlap_keep_all_characters() -> None:
    shown = highlight(TEXT, [(9, 13, "neutral")], [(4, 13, "neutral")])
    assert plain(shown) == "the _hard _[_disk_○] is loud"
    shown = highlight(TEXT, [(4, 21, "positive")], [(4, 13, "negative")])
    assert plain(shown) == "the [_hard disk_ is loud+]−"
    shown = highlight(TEXT, [(0, 8, None)], [(4, 13, None)])
    assert plain(shown) == "[the _hard_]_ disk_ is loud"
    shown = highlight(TEXT, [(0, 21, "x")], [(4, 8, "y")])
    assert plain(shown) == "[the _hard_ disk is loudx]y"
    shown = highlight(TEXT, [(4, 8, "y")], [(0, 21, "x")])
    assert plain(shown) == "_the _[_hard_y]_ disk is loud_x"


def test_terms_beyond_the_end_of_a_cut_text_are_cut() -> None:
    assert plain(highlight("the ha…", [(4, 13, "positive"), (30, 35, None)])) == (
        "the [ha…+]"
    )


def test_everything_from_a_text_is_escaped() -> None:
    shown = highlight('<script>"\x1b', [(0, 8, '"><img>')])
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown
    assert "\\x1b" in shown


def test_polarities_differ_without_colours() -> None:
    labels = ("positive", "negative", "neutral", "conflict", "food", None)
    shown = {plain(highlight("term", [(0, 4, label)])) for label in labels}
    assert shown == {"[term+]", "[term−]", "[term○]", "[term±]", "[termfood]", "[term]"}
    key = key_to_marks(["negative"], true=True)
    assert "negative" in key
    assert "positive" not in key
    assert "true polarity" in key


def test_polarities_have_the_colours_of_plots() -> None:
    for label in ("positive", "negative", "conflict"):
        rgb = ",".join(str(x) for x in bytes.fromhex(POLARITY_COLOURS[label][1:]))
        assert f"rgba({rgb},0.32)" in highlight("term", [(0, 4, label)])
    assert "rgba(213,94,0,0.32)" in highlight("term", [(0, 4, "negative")])
    for label in ("neutral", "food", None):
        assert "rgba(128,128,128,0.32)" in highlight("term", [(0, 4, label)])


def test_a_notebook_shows_the_texts_with_their_terms() -> None:
    texts = ["the screen is great", "nothing <here>"]
    opinions = tiny_model().predict(texts)
    assert isinstance(opinions, Opinions)
    assert [[x.term for x in row] for row in opinions] == [["screen"], []]
    html = opinions._repr_html_()
    assert "the [screen+] is great" in plain(html)
    assert "nothing &lt;here&gt;" in html
    assert opinions[0][0][:4] == ("screen", "positive", 4, 10)
    term = Opinion("a", None, 0, 1, 0.5, None)
    many = Opinions(["a"] * 60, [[term]] * 60)
    assert plain(many._repr_html_()).count("[a]") == 50
    assert "10 more texts" in many._repr_html_()
