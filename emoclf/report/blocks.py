"""Parts of a page: sections, and the blocks that the template knows how to draw.

A block is data, which the template draws by a macro for its class. All strings are
escaped by the template, except the SVG of figures and HTML that emoclf made, such as
explanations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emoclf.display import shorten_text

#: Longest text on the page; longer ones are cut.
MAX_TEXT_CHARACTERS = 500


@dataclass(frozen=True)
class Section:
    """A titled part of the page, which the navigation links to."""

    id: str
    title: str
    blocks: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Paragraphs:
    """Sentences, each a paragraph; the first of a summary is larger."""

    texts: Sequence[str]
    lead: bool = False


@dataclass(frozen=True)
class Advice:
    """A titled list of proposals."""

    title: str
    texts: Sequence[str]


@dataclass(frozen=True)
class KeyNumbers:
    """A few numbers, each as name, value and remark."""

    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Lines:
    """Lines of text in columns, such as a report for the terminal."""

    title: str
    lines: Sequence[str]
    folded: bool = False


@dataclass(frozen=True)
class DataTable:
    """A table whose first column names the rows."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    sortable: bool = False
    #: Number of columns on the left that contain words.
    words: int = 1


@dataclass(frozen=True)
class Figure:
    """A plot as SVG, with a title and a description for those who do not see it."""

    title: str
    svg: str
    caption: str = ""
    paper: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Figures:
    """Figures side by side, where there is room."""

    figures: Sequence[Figure]


@dataclass(frozen=True)
class Findings:
    """Findings of the doctor, the worst first."""

    findings: Sequence[Any]
    title: str = "Findings of the doctor"


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix, with examples."""

    id: str
    true: str
    predicted: str
    count: int
    share: float
    texts: Sequence[ShownText]


@dataclass(frozen=True)
class ConfusionMatrix:
    """A confusion matrix; each cell links to its examples."""

    label_names: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    recalls: Sequence[str]
    examples: Sequence[Cell]
    #: Name of what is counted.
    unit: str = "text"


@dataclass(frozen=True)
class ShownText:
    """A text with its labels and the confidence of the prediction."""

    text: str
    true: str
    predicted: str
    confidence: str
    right: bool
    #: The text as HTML that emoclf made; it is not escaped.
    html: str = ""
    #: Words below the text, in place of labels and confidence.
    remark: str = ""


@dataclass(frozen=True)
class TextList:
    """Texts with their labels, the first of which are shown."""

    title: str
    texts: Sequence[ShownText]


@dataclass(frozen=True)
class TextSearch:
    """A search box over texts."""

    texts: Sequence[ShownText]
    total: int


@dataclass(frozen=True)
class Html:
    """HTML that emoclf made, such as an explanation; it is not escaped."""

    title: str
    parts: Sequence[str]


def number_cell(value: float | None, number_format: str = ".3f") -> str:
    """Return a number for a table, with a dash for one that there is not."""
    return "–" if value is None else format(value, number_format)


def interval_cell(interval: tuple[float, float] | None) -> str:
    """Return the ends of an interval in words, or "" for none."""
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def cut_text(text: str) -> str:
    """Return a text of at most 500 characters; an ellipsis replaces the rest."""
    return shorten_text(text, MAX_TEXT_CHARACTERS)
