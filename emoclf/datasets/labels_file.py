"""Texts in one file, and their labels line by line in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from emoclf.datasets.columns import find_text
from emoclf.datasets.input_formats import PLAIN_LINES
from emoclf.datasets.records import Record, Table, collect_keys
from emoclf.datasets.source import Source
from emoclf.errors import DataError, SettingsError, setting
from emoclf.settings import DataSettings

_LABEL = "label"


def join_labels(
    source: Source, table: Table, settings: DataSettings
) -> tuple[Table, DataSettings]:
    """Return texts with the labels of ``labels_file``, and settings that name both.

    Raises
    ------
    DataError
        If the numbers of texts and labels differ.
    SettingsError
        If several files are named.
    """
    files = settings.labels_file or ()
    if not isinstance(files, str) and len(files) != 1:
        raise SettingsError(
            f"{setting('labels_file')} must name one file for {source.name}. Got "
            f"{files!r} instead."
        )
    path = files if isinstance(files, str) else files[0]
    names, records = collect_keys(table, source)
    text = find_text(names, settings.text_column, source=source.name)
    texts = list(records)
    line_settings = replace(settings, format=PLAIN_LINES, labels_file=None)
    with Source(path, line_settings, labelled=True) as labels_source:
        labels = [
            record._replace(bad=labels_source.bad_line(record.number))
            for record in labels_source.read().records
        ]
    if len(texts) != len(labels):
        raise DataError(
            f"{source.name} has {len(texts):,} texts and {path} has {len(labels):,} "
            "labels. Each text needs its label in the same line."
        )

    def joined() -> Iterator[Record]:
        for record, label in zip(texts, labels, strict=True):
            values = {key: x for key, x in record.values.items() if key == text}
            values[_LABEL] = label.values["text"]
            yield record._replace(values=values, bad=record.bad or label.bad)

    return (
        Table([text, _LABEL], joined()),
        replace(settings, text_column=text, label_column=_LABEL, split_column=None),
    )
