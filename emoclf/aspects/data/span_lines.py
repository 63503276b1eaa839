"""JSON Lines with spans: ``{"text": …, "spans": [[start, stop, label], …]}``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from emoclf.aspects.data.sentences import Sentence, new_sentence
from emoclf.datasets.cells import BadRow, excerpt, read_text, shorten
from emoclf.datasets.columns import find_text
from emoclf.datasets.records import missing_key
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
        for number, values, bad, last_line in source.read().records:
            location = f"{source.name}, line {number}"
            bad = source.bad_line(number, last_line) or bad
            if bad is not None:
                raise DataError(f"{location}: {bad}.")
            key = key or find_text(list(values), None, source=location)
            name = values.get("id")
            name = str(name) if isinstance(name, str | int) else ""
            if name:
                location += f", sentence {name}"
            try:
                if key not in values:
                    raise missing_key(values, key)
                text = read_text(values[key])
            except BadRow as reason:
                raise DataError(f"{location}: {reason}.") from None
            keys |= values.keys()
            spans = next((values[x] for x in SPAN_KEYS if x in values), None)
            yield new_sentence(
                text, _lists(spans, location), id=name, location=location
            )
        if keys and not keys & {*SPAN_KEYS}:
            raise DataError(
                f"{source.name}: no object has spans, which are under a key "
                f"{', '.join(SPAN_KEYS)}. Its keys: {shorten(sorted(keys))}. Rename "
                "one, or add spans."
            )


def _lists(spans: Any, location: str) -> Any:
    """Return spans as lists, also those that are objects."""
    if spans is None:
        return []
    if not isinstance(spans, list):
        raise DataError(
            f"{location}: spans must be a list such as [[4, 9, 'positive']]. Got "
            f"{excerpt(spans)} instead."
        )
    return [
        [x.get("start"), x.get("end", x.get("stop")), x.get("label")]
        if isinstance(x, dict)
        else x
        for x in spans
    ]


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
