"""The page of a result: what it contains, what it escapes, and how it is written.

Covers all modules of emoclf.report.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from evaluated import HOSTILE, random_evaluation, random_report

from emoclf import write_report
from emoclf.audit.dataset_audit import Audit, audit_dataset
from emoclf.datasets.sample import load_sample
from emoclf.errors import DataError, MissingDependency
from emoclf.evaluation.network_comparison import NetworkComparison, RunMetrics
from emoclf.report.blocks import MAX_TEXT_CHARACTERS
from emoclf.report.evaluation_sections import MAX_TEXTS
from emoclf.report.svg_figures import svg_figure

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


class Page(HTMLParser):
    """Elements of a page: names with attributes, and the text of each id."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("reports") / "report.html"
    return Page(write_report(random_report(), path, audit=small_audit()))


def small_audit() -> Audit:
    return audit_dataset(load_sample()[:50])


def test_the_page_asks_for_nothing(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            address = attributes.get(name) or ""
            assert not address or address[0] == "#" or address[:5] == "data:", tag
    assert not re.search(r"url\((?!#)", page.source)
    assert not re.search(r"https?://|@import", page.source)
    (policy,) = [x["content"] for x in page.all("meta") if "http-equiv" in x]
    assert policy.startswith("default-src 'none';")
    # Of all scripts, only that of the page may run.
    (script,) = re.findall(r"<script>(.*?)</script>", page.source, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy


def test_the_page_has_the_result_in_words_and_numbers(page: Page) -> None:
    report = random_report()
    for sentence in report.verdict():
        assert sentence.removeprefix("Try: ") in page.words
    assert f"{report.network.macro_f1:.3f}" in page.words
    assert "TF-IDF + linear SVM" in page.words
    assert "length in words" in page.words
    titles = ["Calibration", "Accuracy by coverage", "Precision and recall", "ROC"]
    assert [title for title in titles if title in page.words] == titles
    assert "All 120 texts." in page.words


def test_each_cell_of_the_matrix_leads_to_its_examples(page: Page) -> None:
    network = random_report().network
    links = [x["href"][1:] for x in page.all("a") if x["href"].startswith("#cell")]
    found = [x["id"] for x in page.all("details") if "id" in x and "cell" in x["id"]]
    filled = sum(count > 0 for row in network.confusion for count in row)
    assert sorted(links) == sorted(found)
    assert len(found) == filled
    kept = network.predictions
    wrong = kept.confident_mistakes(1)[0]
    true, predicted = kept.targets[wrong], kept.predicted[wrong]
    example = page.source.split(f'<details id="cell-{true}-{predicted}"')[1]
    assert example.index(kept.texts[wrong]) < example.index("</details>")


def test_ids_are_unique_and_names_are_given(page: Page) -> None:
    ids = [x["id"] for _, x in page.elements if "id" in x]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"][1:] in ids
    for reference in re.findall(r"url\(#([^)]+)\)", page.source):
        assert reference in ids
    assert all(svg["aria-label"] and svg["role"] == "img" for svg in page.all("svg"))
    assert all("scope" in heading for heading in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = itertools.pairwise(levels)
    assert all(after - before <= 1 for before, after in steps)


def test_a_hostile_corpus_is_text(tmp_path: Path) -> None:
    path = write_report(random_report(hostile=True), tmp_path / "report.html")
    page = Page(path)
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert HOSTILE in page.words
    # No template is made of a text, and control characters are shown.
    assert "{{ 7 * 7 }}" in page.words
    assert r"\x1b[2J" in page.words
    assert "\x1b" not in page.source
    assert not any(name.startswith("on") for _, x in page.elements for name in x)


def test_pages_are_equal_for_equal_results(page: Page, tmp_path: Path) -> None:
    other = write_report(random_report(), tmp_path / "b.html", audit=small_audit())
    assert other.read_text(encoding="utf-8") == page.source


def test_multilabel_texts_have_curves_and_no_matrix(tmp_path: Path) -> None:
    path = write_report(random_report(multilabel=True), tmp_path / "report.html")
    page = Page(path)
    assert "Confusion matrix" not in page.words
    assert "Precision and recall" in page.words
    assert "average precision" in page.words
    assert "no label" in page.words


def test_an_evaluation_that_was_read_from_a_file_has_numbers_alone(
    tmp_path: Path,
) -> None:
    report = random_report()
    read = type(report).from_dict(report.to_dict())
    page = Page(write_report(read, tmp_path / "report.html"))
    assert "Confusion matrix" in page.words
    assert not [x for x in page.all("details") if "cell" in (x.get("id") or "")]
    assert "Calibration" not in page.words
    assert "search" not in [x.get("type") for x in page.all("input")]


def test_texts_are_limited_and_the_page_says_so(tmp_path: Path) -> None:
    evaluation = random_evaluation(MAX_TEXTS + 20)
    kept = evaluation.predictions
    long = "x" * (MAX_TEXT_CHARACTERS + 1)
    texts = (long,) * len(kept)
    evaluation = replace(evaluation, predictions=replace(kept, texts=texts))
    page = Page(write_report(evaluation, tmp_path / "report.html"))
    assert "1,000 of 1,020 texts, drawn at random." in page.words
    assert "cut after 500 characters" in page.words
    assert long not in page.source
    assert "x" * (MAX_TEXT_CHARACTERS - 1) + "…" in page.words


def test_what_a_caller_adds_to_a_page(tmp_path: Path) -> None:
    explanation = SimpleNamespace(to_html=lambda: "<p><mark>not</mark> happy</p>")
    whole = "<!doctype html><html><body><i>whole</i></body></html>"
    part = SimpleNamespace(to_html=lambda: whole, _repr_html_=lambda: "<i>part</i>")
    groups = [
        SimpleNamespace(column="length", value=value, n=n, accuracy=score, is_weak=weak)
        for value, n, score, weak in (("<long>", 30, 0.4, True), ("short", 90, 0.8, 0))
    ]
    path = write_report(
        random_report(),
        tmp_path / "report.html",
        audit=SimpleNamespace(lines=lambda: ["3 texts are <odd>"]),
        explanations=[explanation, part],
        segments=groups,
    )
    page = Page(path)
    # Explanations are HTML, as in a notebook: a part of a page, not a whole one.
    assert page.all("mark")
    assert page.all("i")
    assert len(page.all("html")) == len(page.all("body")) == 1
    # Audits are lines.
    assert "3 texts are <odd>" in page.words
    # Groups of texts have a plot and a table.
    assert "Accuracy by length" in page.words
    assert "<long> (30)" in page.words
    assert page.words.count("significantly lower") == 1


def test_other_results_have_pages(tmp_path: Path) -> None:
    run = RunMetrics("text_cnn", 0, 0.6, 0.5, 100, 3, 1.0, 3.0, 100.0, ("overfitting",))
    baseline = RunMetrics("TF-IDF + linear SVM", None, 0.5, 0.4, seconds=0.1)
    comparison = NetworkComparison("test", 10, (baseline, run))
    page = Page(write_report(comparison, tmp_path / "comparison.html"))
    assert " ".join(comparison.lines()[: comparison.lines().index("")]) in page.words
    assert "overfitting" in page.words
    audit = audit_dataset(load_sample())
    page = Page(write_report(audit, tmp_path / "audit.html"))
    assert "Audit of emotions.csv" in page.words
    assert "/emotions.csv" not in page.words
    length = f"Texts are cut after {audit.max_length} tokens: {audit.cut} of them."
    assert audit.cut > 0
    assert page.words.count(length) == 1
    assert f"{audit.coverage.tokens:.1%}" in page.words
    assert f"{audit.coverage.missing[0][0]}" in page.words
    other = SimpleNamespace(lines=lambda: ["all is <well>"])
    page = Page(write_report(other, tmp_path / "other.html"))
    assert "all is <well>" in page.words
    with pytest.raises(DataError, match=r"result must be one of .*EvaluationReport"):
        write_report("a.emoclf", tmp_path / "x.html")  # type: ignore[arg-type]
    assert not (tmp_path / "x.html").exists()


def test_a_file_is_replaced_only_on_request_and_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(DataError, match=r"exists already.*overwrite=True"):
        write_report(random_report(), path)
    assert path.read_text() == "mine"
    with monkeypatch.context() as patch:
        patch.setattr("emoclf.report.html_report.render_page", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_report(random_report(), path, overwrite=True)
    assert path.read_text() == "mine"
    assert write_report(random_report(), path, overwrite=True) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(DataError, match="is a directory"):
        write_report(random_report(), tmp_path)


@pytest.mark.parametrize("package", ["jinja2", "matplotlib.figure"])
def test_a_missing_package_is_named_before_any_work(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependency, match=r"pip install 'emoclf\[report\]'"):
        write_report("not even looked at", tmp_path / "report.html")


def test_figures_follow_the_colours_and_fonts_of_the_page() -> None:
    def draw(ax: Any) -> None:
        ax.plot([0, 1], [1, 0], color="#0072B2", label="$x$ <b> 愛")
        ax.legend()

    figure = svg_figure(
        draw, name="a-plot", title="Plot", alt='1 < 2 & "3"', size=(5.4, 3.9)
    )
    assert 'aria-label="1 &lt; 2 &amp; &quot;3&quot;"' in figure.svg
    assert "var(--blue)" in figure.svg
    assert "currentColor" in figure.svg
    assert "$x$ &lt;b&gt; 愛" in figure.svg
    assert "#0072b2" not in figure.svg
    assert "font-family" not in figure.svg
    assert set(re.findall(r' id="(.*?)-', figure.svg)) == {"a"}
