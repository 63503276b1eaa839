"""JSON Lines with spans: ``{"text": …, "spans": [[start, stop, label], …]}``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from emoclf.aspects.data.sentences import Sentence, new_sentence
from emoclf.datasets.cells import BadRow, read_text, shorten
from emoclf.datasets.columns import find_text
from emoclf.datasets.records import Record, missing_key
from emoclf.datasets.source import Source
from emoclf.errors import DataError
from emoclf.settings import DataSettings

#: Keys of the spans in the files of annotation tools; the first that is there counts.
SPAN_KEYS = ("spans", "entities", "label", "labels")


def read_span_lines(path: Path, settings: DataSettings) -> Iterator[Sentence]:
    """Yield a sentence for each object.

    A span is a list ``[start, stop, label]`` or an object with ``start``, ``end`` and
    ``label``; an object without spans is a sentence without terms.

    Raises
    ------
    DataError
    """
    with Source(
        path, replace(settings, format="jsonl", text_column=None), labelled=True
    ) as source:
        key = settings.text_column
        keys: set[str] = set()
        for location, values in good_records(source, source.read().records):
            key = key or find_text(list(values), None, source=location)
            name = values.get("id")
            name = str(name) if isinstance(name, str | int) else ""
            if name:
                location += f", sentence {name}"
            text = text_of(values, key, location)
            keys |= values.keys()
            spans = next((values[x] for x in SPAN_KEYS if x in values), None)
            if isinstance(spans, list):
                spans = [_as_list(span) for span in spans]
            yield new_sentence(
                text, [] if spans is None else spans, id=name, location=location
            )
        if keys and not keys & {*SPAN_KEYS}:
            raise DataError(
                f"{source.name}: no object has spans, which are under a key "
                f"{', '.join(SPAN_KEYS)}. Its keys: {shorten(sorted(keys))}. Rename "
                "one, or add spans."
            )


def good_records(
    source: Source, records: Iterable[Record]
) -> Iterator[tuple[str, Any]]:
    """Yield the location and the values of each record.

    Raises
    ------
    DataError
        If a record is bad.
    """
    for number, values, bad, last_line in records:
        location = f"{source.name}, line {number}"
        bad = source.bad_line(number, last_line) or bad
        if bad is not None:
            raise DataError(f"{location}: {bad}.")
        yield location, values


def text_of(values: dict[str, Any], key: str, location: str) -> str:
    """Return the text under a key.

    Raises
    ------
    DataError
        If there is no such key, or no text under it.
    """
    try:
        if key not in values:
            raise missing_key(values, key)
        return read_text(values[key])
    except BadRow as reason:
        raise DataError(f"{location}: {reason}.") from None


def _as_list(span: Any) -> Any:
    """Return a span as a list, if it is an object."""
    if not isinstance(span, dict):
        return span
    return [span.get("start"), span.get("end", span.get("stop")), span.get("label")]


def span_lines(sentences: Iterable[Sentence]) -> Iterator[str]:
    """Yield one object a line."""
    for sentence in sentences:
        values: dict[str, Any] = {"id": sentence.id} if sentence.id else {}
        spans = [
            [term.start, term.stop, *([term.label] if term.label else [])]
            for term in sentence.terms
        ]
        values |= {"text": sentence.text, "spans": spans}
        yield json.dumps(values, ensure_ascii=False) + "\n"
