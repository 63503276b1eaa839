"""CSV with a row for each term: text, term or offsets, polarity."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from emoclf.aspects.data.sentences import Sentence, find_term, new_sentence
from emoclf.aspects.data.span_lines import good_records, text_of
from emoclf.datasets.cells import excerpt, shorten
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
    source_settings = replace(settings, format="csv")
    groups: dict[str, tuple[str, str, str, list[_Row]]] = {}
    with Source(path, source_settings, labelled=True) as source:
        table = source.read()
        columns = table.columns or []
        key = find_text(
            columns, settings.text_column, source=source.name, advice=table.advice
        )
        field_columns = _usual_columns(columns, source.name)
        for location, values in good_records(source, table.records):
            text = text_of(values, key, location)
            cells = {name: values[column] for name, column in field_columns.items()}
            name = cells.get("id", "").strip()
            location += f", sentence {name}" if name else ""
            group = groups.setdefault(name or text, (text, name, location, []))
            if group[0] != text:
                raise DataError(
                    f"{location}: the text is {text[:60]!r}, and an earlier row of the "
                    f"same sentence has {group[0][:60]!r}. Correct the id."
                )
            group[3].append(_Row(location, text, cells))
    for text, name, location, rows in groups.values():
        spans = [_given_span(*row) for row in rows if any(_offsets(row.cells))]
        rows.sort(key=lambda row: -len(row.cells.get("term", "")))
        for row in rows:
            if row.cells.get("term") and not any(_offsets(row.cells)):
                spans.append(_found_span(*row, spans))
        yield new_sentence(text, spans, id=name, location=location)


class _Row(NamedTuple):
    location: str
    text: str
    cells: dict[str, str]


def _usual_columns(columns: Sequence[str], source: str) -> dict[str, str]:
    """Return the column of each field that the file has."""
    lower = {column.strip().casefold(): column for column in columns}
    field_columns = {
        field: next(lower[name] for name in names if name in lower)
        for field, names in USUAL_COLUMNS.items()
        if any(name in lower for name in names)
    }
    if "term" not in field_columns and not {"start", "stop"} <= field_columns.keys():
        raise DataError(
            f"{source} must have a column of terms (term, aspect or target), or two of "
            f"offsets (start and stop, or from and to). Got {shorten(columns)}. Rename "
            "the columns."
        )
    return field_columns


def _offsets(cells: dict[str, str]) -> list[str]:
    return [cells.get(name, "").strip() for name in ("start", "stop")]


def _found_span(
    location: str, text: str, cells: dict[str, str], taken: Sequence[Any]
) -> tuple[int, int, str]:
    """Return the span of a term without offsets."""
    words = cells["term"]
    try:
        return (*find_term(text, words, taken), cells.get("label", ""))
    except ValueError:
        raise DataError(
            f"{location}: the text contains no {words!r} besides those of other rows: "
            f"{text[:80]!r}. Correct the term, or give its offsets."
        ) from None


def _given_span(
    location: str, text: str, cells: dict[str, str]
) -> tuple[int, int, str]:
    """Return the span of a row with offsets."""
    words, label = cells.get("term", ""), cells.get("label", "")
    offsets = _offsets(cells)
    try:
        start, stop = map(int, offsets)
    except ValueError:
        raise DataError(
            f"{location}: offsets must be whole numbers. Got {offsets[0]!r} and "
            f"{offsets[1]!r} instead."
        ) from None
    actual = text[max(start, 0) : max(stop, 0)]
    if words and actual != words:
        units = words in text and not text.isascii()
        advice = " Offsets count code points, not bytes." if units else ""
        raise DataError(
            f"{location}: the term {words!r} has the offsets {start} to {stop}, but "
            f"the text there is {excerpt(actual)}. Correct the offsets, or leave them "
            f"out.{advice}"
        )
    return start, stop, label


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
        first_cells = [name, sentence.text]
        for term in sentence.terms or (None,):
            if term is None:
                writer.writerow([*first_cells, "", "", "", ""])
                continue
            words = sentence.words(term)
            writer.writerow(
                [*first_cells, words, term.start, term.stop, term.label or ""]
            )
        yield line.getvalue()
