"""The page of aspect terms: sections, numbers, highlighted sentences, escapes.

Covers aspect_page.py and aspect_sections.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from evaluated_aspects import aspect_evaluation
from tiny_aspects import fitted_tagger, tiny_aspects, tiny_model

from emoclf import write_report
from emoclf.aspects.aspect_model import AspectModel
from emoclf.doctor.findings import Finding

#: They share a model, whose training takes some seconds.
pytestmark = pytest.mark.slow

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("reports") / "aspects.html"
    return write_report(aspect_evaluation(), path).read_text(encoding="utf-8")


def section(page: str, name: str) -> str:
    """Return the HTML of a section."""
    start = page.index(f'<section id="{name}"')
    return page[start : page.index("</section>", start)]


def words(html: str) -> str:
    """Return the text of HTML, with single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_the_page_has_its_sections_and_the_verdict(page: str) -> None:
    names = re.findall(r'<section id="([\w-]+)"', page)
    assert names == [
        *("summary", "scores", "terms", "mistakes", "polarity", "texts"),
        *("training", "settings"),
    ]
    evaluation = aspect_evaluation()
    shown = words(section(page, "summary")).replace("&#39;", "'")
    for sentence in evaluation.verdict():
        assert sentence.removeprefix("Try: ") in shown
    assert "worse than" in shown  # the dictionary knows these terms
    for value in ("precision", "recall", "f1", "partial_f1"):
        assert f"{getattr(evaluation['terms'], value):.3f}" in shown


def test_scores_stand_beside_those_of_the_baselines(page: str) -> None:
    shown = words(section(page, "scores"))
    evaluation = aspect_evaluation()
    dictionary = evaluation.baseline_scores["terms"]
    assert f"{dictionary.precision:.3f} {dictionary.recall:.3f}" in shown
    for one in evaluation.comparisons:
        points = f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
        assert (
            f"{one.baseline} {one.label} {100 * one.difference:+.1f} {points}" in shown
        )
    polarity = words(section(page, "polarity"))
    assert "majority class" in polarity
    assert f"{evaluation['polarity']['accuracy']:.3f}" in polarity


def test_errors_are_counted_by_kind_with_examples(page: str) -> None:
    html = section(page, "mistakes")
    shown = words(html)
    assert "Wrong borders predicted terms that overlap a true term 1" in shown
    assert "Missed terms true terms that overlap no predicted term 1" in shown
    assert "Invented terms predicted terms that overlap no true term 1" in shown
    assert "borders: &#39;disk&#39; instead of &#39;hard disk&#39;" in html
    assert "missed: bill" in html
    assert "invented: nothing" in html
    assert "Wrong labels" not in html


def test_all_sentences_are_there_with_their_terms_highlighted(page: str) -> None:
    html = section(page, "texts")
    items = re.findall(r'<li class="(\w+)">(.*?)</li>', html, re.S)
    assert [name for name, _ in items] == [
        *("right", "wrong", "wrong", "wrong", "wrong", "wrong", "right")
    ]
    first, soup, last = items[0][1], items[4][1], items[6][1]
    assert "<mark" in first
    assert "<u" in first
    assert 'aria-label="found: positive"' in first
    assert "all terms are right" in first
    assert "polarity of onion soup: negative, predicted as positive" in soup
    assert 'aria-label="true: negative"' in soup
    assert "<mark" not in last
    assert "there is no term" in last


def test_the_summary_counts_found_and_true_terms(page: str) -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", section(page, "terms"), re.S)
    table = [words(row).split() for row in rows]
    assert table[0] == ["term", "found", "true", "negative", "positive"]
    assert ["screen", "1", "1", "0%", "100%"] in table
    assert ["disk", "1", "0", "100%", "0%"] in table
    assert ">share of the term's occurrences</text>" in page


def test_cells_of_the_confusion_lead_to_terms(page: str) -> None:
    html = section(page, "polarity")
    counts = [int(x) for x in re.findall(r'aria-label="(\d+) terms?: ', html)]
    assert sum(counts) == 4
    assert "Number of terms by true label (rows)" in html
    assert "<mark" in html[html.index("Examples of the cells") :]


def test_the_training_and_the_settings_of_both_parts(page: str) -> None:
    titles = re.findall(r"<h3>(.*?)</h3>", section(page, "training"))
    assert titles == [
        "Loss of the tagger",
        "Exact-span F1 of the tagger",
        "Loss of the polarity classifier",
        "Macro-F1 of the polarity classifier",
    ]
    html = section(page, "settings")
    assert "Settings of the tagger" in html
    assert "Settings of the polarity classifier" in html
    assert "character_filters = 4" in html
    assert "sentences of the training set" in html


def test_everything_from_texts_and_labels_is_escaped(tmp_path: Path) -> None:
    path = write_report(aspect_evaluation(hostile=True), tmp_path / "report.html")
    page = path.read_text(encoding="utf-8")
    assert len(re.findall(r"<script", page)) == 1
    assert "<img" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "\\x1b[2J" in page
    assert "&lt;/mark&gt;&lt;script&gt;alert(2)" in page
    assert "x x x …</span>" in page  # cut after 500 characters


def test_a_model_without_polarity_has_a_page_too(tmp_path: Path) -> None:
    model = AspectModel(fitted_tagger())
    path = write_report(model.evaluate(tiny_aspects()), tmp_path / "report.html")
    page = path.read_text(encoding="utf-8")
    names = re.findall(r'<section id="([\w-]+)"', page)
    assert "polarity" not in names
    assert "Evaluated without baselines" in page
    assert "Loss of the polarity" not in page


@pytest.mark.parametrize("has_train", [False, True])
def test_the_page_of_no_sentences_says_so(tmp_path: Path, has_train: bool) -> None:
    data = tiny_aspects()
    evaluation = tiny_model().evaluate(data.take([]), train=data if has_train else None)
    assert evaluation.intervals == {}
    assert evaluation.comparisons == ()
    path = write_report(evaluation, tmp_path / "report.html")
    page = path.read_text(encoding="utf-8")
    assert "There are no sentences to evaluate." in section(page, "summary")
    assert 'id="texts"' not in page


def test_findings_of_the_doctor_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model()
    evaluation = model.evaluate(tiny_aspects().take(range(8)))
    finding = Finding("updates-too-large", "warning", "a step is <large>", {}, (), ())
    monkeypatch.setattr(model.tagger, "findings_", (finding,))
    page = write_report(evaluation, tmp_path / "page.html").read_text(encoding="utf-8")
    shown = unescape(words(section(page, "training")))
    assert "Findings of the doctor: tagger " in shown
    assert "a step is <large>" in shown
    assert "doctor: polarity classifier" not in shown


def test_files_are_named_without_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, folder = tiny_model(), tmp_path / "private"
    evaluation = model.evaluate(tiny_aspects().take(range(8)))

    def set_settings(part: Any, **flat: Any) -> None:
        settings = replace(part.model_.settings, **flat)
        monkeypatch.setattr(part, "model_", replace(part.model_, settings=settings))

    one, two = str(folder / "one.txt"), str(folder / "two.txt")
    # Fitting needs vectors and an encoder; the page only their names.
    set_settings(model.tagger, vectors=one)
    encoder = str(folder / "an-encoder")
    set_settings(model.polarity, vectors=(one, two), encoder=encoder)
    path = write_report(evaluation, tmp_path / "report.html")
    page = path.read_text(encoding="utf-8")
    shown = unescape(words(section(page, "settings")))
    assert 'vectors = "one.txt"' in shown
    assert 'vectors = [ "one.txt", "two.txt", ]' in shown
    assert 'encoder = "an-encoder"' in shown
    assert "private" not in page
    set_settings(model.polarity, encoder="sentence-transformers/all-MiniLM-L6-v2")
    path = write_report(evaluation, tmp_path / "hub.html")
    assert "sentence-transformers/all-MiniLM" in path.read_text(encoding="utf-8")
