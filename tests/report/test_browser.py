"""Pages in headless Chromium: what they load, how they look, and how they are used.

Run with ``-m browser``; Chromium is ``apt-get install -y chromium``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chromium import DESKTOP, PHONE, Chromium
from evaluated import random_evaluation, random_report
from evaluated_aspects import aspect_evaluation
from tiny import tiny_trained
from tiny_search import run as run_search

from emoclf import write_report
from emoclf.audit.dataset_audit import audit_dataset
from emoclf.datasets.sample import load_sample
from emoclf.evaluation.network_comparison import NetworkComparison, RunMetrics

pytestmark = pytest.mark.browser

PAGES = (
    *("trained", "hostile", "multilabel", "comparison"),
    *("audit", "against", "search"),
    *("aspects", "hostile aspects"),
)
SEVEN = ("anger", "disgust", "fear", "guilt", "joy", "sadness", "shame")
#: Texts whose contrast with what is behind them is below 4.5, or 3 for large letters
#: (WCAG 2.2, 1.4.3), with the contrast.
CONTRAST = """(() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    const unit = text.startsWith("color(") ? 1 : 255;
    const [r, g, b, a = 1] = numbers;
    return [r / unit, g / unit, b / unit, a];
  };
  const over = (top, below) => {
    const mixed = [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
    return [...mixed, 1];
  };
  const background = (element) => {
    const chain = [];
    for (let one = element; one; one = one.parentElement) chain.unshift(one);
    return chain.reduce(
      (below, one) => over(parse(getComputedStyle(one).backgroundColor), below),
      [1, 1, 1, 1]
    );
  };
  // Words in a plot may be on a bar: the last filled shape around their middle.
  const shape = (text, page) => {
    const { x, y, width, height } = text.getBoundingClientRect();
    const [middle, centre] = [x + width / 2, y + height / 2];
    const drawn = [...text.closest("svg").querySelectorAll("path")].filter((one) => {
      const box = one.getBoundingClientRect();
      const style = getComputedStyle(one);
      return (
        one.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING &&
        !one.closest("defs, clipPath") && style.fill !== "none" && style.opacity > 0 &&
        box.left <= middle && middle <= box.right &&
        box.top <= centre && centre <= box.bottom
      );
    });
    const fills = drawn.map((one) => parse(getComputedStyle(one).fill));
    return fills.reduce((below, fill) => over(fill, below), page);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map(
      (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    seen += 1;
    const style = getComputedStyle(element);
    const plotted = element.namespaceURI.endsWith("svg");
    const drawn = plotted ? style.fill : style.color;
    const page = background(element);
    const behind = plotted ? shape(element, page) : page;
    const value = ratio(over(parse(drawn), behind), behind);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (value < (large ? 3 : 4.5))
      found.push([walker.currentNode.data.trim().slice(0, 40), value.toFixed(2)]);
  }
  const page = background(document.body);
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of ["blue", "orange", "green", "red", "sky", "purple"]) {
    probe.style.color = `var(--${name})`;
    const value = ratio(parse(getComputedStyle(probe).color), page);
    if (value < 3) found.push([name, value.toFixed(2)]);
  }
  probe.remove();
  return { seen, found };
})()"""
STRUCTURE = """(() => {
  const problems = [];
  const expect = (right, text) => right || problems.push(text);
  const headings = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")];
  const levels = headings.map((one) => Number(one.tagName[1]));
  expect(levels[0] === 1 && levels.filter((x) => x === 1).length === 1, "one h1");
  levels.forEach((level, i) =>
    expect(i === 0 || level - levels[i - 1] <= 1, "jump to " + headings[i].textContent)
  );
  expect(document.documentElement.lang, "language");
  expect(document.title, "title");
  for (const one of document.querySelectorAll("th"))
    expect(one.scope, "scope of " + one.textContent);
  for (const one of document.querySelectorAll("table"))
    expect(one.caption || one.ariaLabel, "name of a table");
  for (const one of document.querySelectorAll("svg"))
    expect(one.getAttribute("role") === "img" && one.ariaLabel, "name of a plot");
  for (const one of document.querySelectorAll("input, select"))
    expect(one.labels.length === 1, "label of " + one.id);
  for (const one of document.querySelectorAll(".scroll"))
    expect(one.tabIndex === 0 && one.ariaLabel, "a region that scrolls by keyboard");
  return problems;
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    audit = audit_dataset(load_sample()[:50])
    runs = [RunMetrics("TF-IDF", None, 0.5, 0.4, seconds=0.1)]
    runs += [
        RunMetrics(name, seed, 0.6, 0.5 + seed / 50, 99, 3, 1.0, 4.0 + seed)
        for name in ("text_cnn", "bilstm")
        for seed in (0, 1)
    ]
    results: dict[str, Any] = {
        "trained": tiny_trained(),
        "hostile": random_report(hostile=True),
        "multilabel": random_report(multilabel=True),
        "comparison": NetworkComparison("test", 10, tuple(runs)),
        "audit": audit,
        "against": replace(random_report(), against=True),
        "aspects": aspect_evaluation(),
        "hostile aspects": aspect_evaluation(hostile=True),
        "search": run_search(folder / "search", trials=2),
    }
    return {
        name: write_report(result, folder / f"{name}.html", audit=audit)
        for name, result in results.items()
    }


def accessible_names(browser: Chromium) -> list[tuple[str, str]]:
    """Return role and name of what a screen reader announces as a thing to use."""
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    roles = {"link", "button", "searchbox", "combobox", "image", "region", "table"}
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_readable_and_fits(
    browser: Chromium, pages: dict[str, Path], name: str, width: int, dark: bool
) -> None:
    seconds = browser.open(pages[name], width=width, dark=dark)
    assert seconds < 2
    assert browser.problems == []
    # The page itself, and its icon, which is empty.
    assert [url for url in browser.requests if not url.startswith("data:")] == [
        pages[name].resolve().as_uri()
    ]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate("innerWidth") == width
    contrast = browser.evaluate(CONTRAST)
    assert contrast["found"] == []
    assert contrast["seen"] > 50
    assert browser.evaluate(STRUCTURE) == []
    names = accessible_names(browser)
    assert len(names) > 10
    assert [role for role, text in names if not text] == []


def test_the_contrast_check_sees_grey_letters(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["trained"])
    browser.evaluate("document.querySelector('h1').style.color = '#aaaaaa', 0")
    assert browser.evaluate(CONTRAST)["found"][0][0].startswith("text_cnn")


def test_the_contrast_check_sees_what_is_behind_words_in_a_plot(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["aspects"])
    browser.evaluate(
        "document.querySelectorAll('#terms svg path').forEach(one => {"
        " if (one.style.fill.includes('--blue')) one.style.fill = 'var(--sky)' }), 0"
    )
    found = browser.evaluate(CONTRAST)["found"]
    assert found
    assert {text for text, _ in found} == {"100%"}


def test_problems_and_requests_are_seen(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text("<script>console.error('x'); y()</script><img src='a.png'>")
    browser.open(path)
    assert len(browser.problems) >= 2
    assert any(url.endswith("a.png") for url in browser.requests)


def test_a_hostile_corpus_does_nothing(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["hostile"])
    title = browser.evaluate("document.title")
    assert title == "text_cnn on the test set"
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate("document.images.length") == 0
    # The policy refuses what a later change of the template would let through.
    browser.evaluate("fetch('data:,x').then(() => 'loaded', () => 'refused')")
    assert any("Content Security Policy" in text for text in browser.problems)


def test_hostile_terms_do_nothing(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile aspects"])
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate("document.images.length") == 0
    assert browser.problems == []


def test_terms_are_highlighted_and_found_by_the_search_box(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["aspects"])
    boxes = (
        "[...document.querySelectorAll('#texts li')]"
        ".filter(one => one.checkVisibility())"
        ".map(one => [...one.querySelectorAll('mark')].map(mark => mark.textContent))"
    )
    assert browser.evaluate(boxes)[:3] == [["screen+"], ["disk−"], []]
    marks = "getComputedStyle(document.querySelector('#texts li mark'))"
    behind = browser.evaluate(f"{marks}.backgroundColor")
    assert behind.startswith("rgba(0, 114, 178")
    browser.evaluate(
        "search.value = 'missed'; search.dispatchEvent(new Event('input')), 0"
    )
    assert browser.evaluate("matches.textContent") == "1 text matches."


def test_tables_are_sorted_by_keyboard(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["trained"])
    browser.evaluate(
        "document.querySelectorAll('#scores .sortable th button')[3].focus()"
    )
    cells = (
        "[...document.querySelectorAll('#scores .sortable tbody tr')]"
        ".map(row => Number(row.cells[3].textContent))"
    )
    given = browser.evaluate(cells)
    heading = "document.activeElement.closest('th').ariaSort"
    for order, expected in (
        ("descending", sorted(given, reverse=True)),
        ("ascending", sorted(given)),
        (None, given),
    ):
        browser.press("Enter")
        assert browser.evaluate(heading) == order
        assert browser.evaluate(cells) == expected


def test_a_cell_shows_its_examples_by_keyboard(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["hostile"])
    shown = (
        "[...document.querySelectorAll('.examples > details')]"
        ".filter(one => one.checkVisibility()).map(one => [one.id, one.open])"
    )
    assert len(browser.evaluate(shown)) == 1
    browser.evaluate("document.querySelector('a[href=\"#cell-1-1\"]').focus()")
    browser.press("Enter")
    assert browser.evaluate(shown) == [["cell-1-1", True]]
    assert browser.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert browser.evaluate("document.activeElement.parentElement.id") == "cell-1-1"
    browser.open(pages["hostile"])
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.textContent").startswith("Skip")


def test_the_search_box_finds_texts(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"])
    found = random_report(hostile=True).network.predictions

    def ask(words: str, shown: str = "") -> tuple[str, int]:
        browser.evaluate(
            f"search.value = {words!r}; shown.value = {shown!r};"
            "search.dispatchEvent(new Event('input')), 0"
        )
        visible = browser.evaluate(
            "[...document.querySelectorAll('#all-texts li')]"
            ".filter(one => one.checkVisibility()).length"
        )
        return browser.evaluate("matches.textContent"), visible

    assert ask("") == ("120 texts match.", 20)
    browser.evaluate("more.click(), 0")
    assert browser.evaluate("more.hidden") is True
    assert ask("Number 17 ") == ("2 texts match.", 2)  # 17 and 117
    assert ask("nothing has this") == ("0 texts match.", 0)
    wrong = int((~found.right).sum())
    assert ask("", "wrong") == (f"{wrong} texts match.", min(20, wrong))


def test_without_script_everything_can_be_read(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["hostile"], script=False)
    html = browser.send("DOM.getDocument", depth=0)["root"]["nodeId"]

    def count(selector: str) -> int:
        found = browser.send("DOM.querySelectorAll", nodeId=html, selector=selector)
        return len(found["nodeIds"])

    assert count("html.scripted") == 0
    assert count("form.search[hidden]") == 1
    assert count("button:not([hidden])") == 0
    assert count("#all-texts li") == 120
    assert count(".examples > details summary") > 3


def test_a_page_as_large_as_one_of_isear_is_small_and_quick(
    browser: Chromium, tmp_path: Path
) -> None:
    evaluation: Any = random_evaluation(1271, names=SEVEN)
    kept = evaluation.predictions
    words = " ".join(["remembered"] * 22)
    object.__setattr__(kept, "texts", tuple(f"{i} {words}" for i in range(len(kept))))
    page = write_report(evaluation, tmp_path / "report.html")
    assert page.stat().st_size < 5e6
    assert browser.open(page) < 2
    assert browser.problems == []
