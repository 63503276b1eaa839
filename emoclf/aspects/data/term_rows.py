"""CSV with a row for each term: text, term or offsets, polarity."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emoclf.aspects.data.sentences import Sentence, find_term, new_sentence
from emoclf.datasets.cells import BadRow, excerpt, read_text, shorten
from emoclf.datasets.columns import find_text
from emoclf.datasets.source import Source
from emoclf.errors import DataError
from emoclf.settings import DataSettings

#: Usual names of the columns, beside those of texts.
USUAL_COLUMNS = {
    "id": ("id", "sentence_id"),
    "term": ("term", "aspect", "aspect_term", "target"),
    "start": ("start", "from", "begin"),
    "stop": ("stop", "end", "to"),
    "label": ("polarity", "label", "sentiment"),
}


def read_term_rows(path: Path, settings: DataSettings) -> Iterator[Sentence]:
    """Yield the sentences of a file; rows with the same id, or text, belong together.

    A row has the term, its offsets, or both; neither: the sentence has no term. A term
    without offsets is its first occurrence that no other row names, on borders of words
    if there is one; the longest terms are placed first.

    Raises
    ------
    DataError
    """
    reading = DataSettings(
        format="csv",
        text_column=settings.text_column,
        encoding=settings.encoding,
        encoding_errors=settings.encoding_errors,
    )
    groups: dict[str, tuple[str, str, str, list[_Row]]] = {}
    with Source(path, reading, labelled=True) as source:
        table = source.read()
        columns = table.columns or []
        key = find_text(
            columns, settings.text_column, source=source.name, advice=table.advice
        )
        names = _usual_columns(columns, source.name)
        for number, values, bad, last_line in table.records:
            place = f"{source.name}, line {number}"
            bad = source.bad_line(number, last_line) or bad
            if bad is not None:
                raise DataError(f"{place}: {bad}.")
            try:
                text = read_text(values[key])
            except BadRow as reason:
                raise DataError(f"{place}: {reason}.") from None
            cells = {name: values[column] for name, column in names.items()}
            name = cells.get("id", "").strip()
            place += f", sentence {name}" if name else ""
            group = groups.setdefault(name or text, (text, name, place, []))
            if group[0] != text:
                raise DataError(
                    f"{place}: the text is {text[:60]!r}, and an earlier row of the "
                    f"same sentence has {group[0][:60]!r}. Correct the id."
                )
            group[3].append(_Row(place, text, cells))
    for text, name, place, rows in groups.values():
        spans = [span for row in rows if (span := _given_span(*row)) is not None]
        bare = [row for row in rows if not any(_offsets(row.cells))]
        for row in sorted(bare, key=lambda row: -len(row.cells.get("term", ""))):
            if row.cells.get("term"):
                spans.append(_found_span(*row, spans))
        yield new_sentence(text, spans, id=name, place=place)


class _Row(NamedTuple):
    place: str
    text: str
    cells: dict[str, str]


def _usual_columns(columns: Sequence[str], source: str) -> dict[str, str]:
    """Return the column of each part that the file has."""
    lower = {column.strip().casefold(): column for column in columns}
    found = {
        part: next(lower[name] for name in names if name in lower)
        for part, names in USUAL_COLUMNS.items()
        if any(name in lower for name in names)
    }
    if "term" not in found and not {"start", "stop"} <= found.keys():
        raise DataError(
            f"{source} must have a column of terms (term, aspect or target), or two of "
            f"offsets (start and stop, or from and to). Got {shorten(columns)}. Rename "
            "the columns."
        )
    return found


def _offsets(cells: dict[str, str]) -> list[str]:
    return [cells.get(name, "").strip() for name in ("start", "stop")]


def _found_span(
    place: str, text: str, cells: dict[str, str], taken: Sequence[Any]
) -> tuple[int, int, str]:
    """Return the span of a term without offsets."""
    words = cells["term"]
    try:
        return (*find_term(text, words, taken), cells.get("label", ""))
    except ValueError:
        raise DataError(
            f"{place}: the text contains no {words!r} besides those of other rows: "
            f"{text[:80]!r}. Correct the term, or give its offsets."
        ) from None


def _given_span(
    place: str, text: str, cells: dict[str, str]
) -> tuple[int, int, str] | None:
    """Return the span of a row with offsets; None if it has none."""
    words, label = cells.get("term", ""), cells.get("label", "")
    given = _offsets(cells)
    if not any(given):
        return None
    try:
        start, stop = map(int, given)
    except ValueError:
        raise DataError(
            f"{place}: offsets must be whole numbers. Got {given[0]!r} and "
            f"{given[1]!r} instead."
        ) from None
    if words and text[max(start, 0) : max(stop, 0)] != words:
        raise DataError(
            f"{place}: the term {words!r} has the offsets {start} to {stop}, but the "
            f"text there is {excerpt(text[max(start, 0) : max(stop, 0)])}. Correct the "
            f"offsets, or leave them out. {_unit_advice(text, words)}".rstrip()
        )
    return start, stop, label


def _unit_advice(text: str, words: str) -> str:
    if words in text and not text.isascii():
        return "Offsets count code points, not bytes."
    return ""


def term_rows(sentences: Iterable[Sentence]) -> Iterator[str]:
    """Yield rows with id, text, term, start, stop and polarity.

    Cells are written as they are, also those that a spreadsheet runs as a formula: the
    offsets count from the begin of the text.

    Raises
    ------
    DataError
        If two sentences have the same id, by which rows are grouped.
    """
    ids: set[str] = set()
    yield "id,text,term,start,stop,polarity\n"
    for number, sentence in enumerate(sentences, 1):
        line = io.StringIO()
        writer = csv.writer(line, lineterminator="\n")
        # Equal texts without an id would become one sentence.
        name = sentence.id or str(number)
        if name in ids:
            raise DataError(
                f"Two sentences have the id {name!r}, by which the rows of CSV are "
                "grouped. Rename one, or write .jsonl."
            )
        ids.add(name)
        begin = [name, sentence.text]
        for term in sentence.terms or (None,):
            if term is None:
                writer.writerow([*begin, "", "", "", ""])
                continue
            words = sentence.words(term)
            writer.writerow([*begin, words, term.start, term.stop, term.label or ""])
        yield line.getvalue()
