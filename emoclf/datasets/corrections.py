"""Corrections of labels, in a CSV file that people fill in.

``emoclf audit -o FILE`` writes one row for each label that is probably wrong. A row
with something in the last column changes the label of its text, after a check that the
text is still at the same place. The data file is never changed.

Spreadsheets run a cell that begins with ``=``, ``+``, ``-``, ``@`` or a control as a
formula, which may send the other cells away. Such cells begin with an apostrophe, as
https://owasp.org/www-community/attacks/CSV_Injection proposes; it is no part of the
text, and is left out when the file is read.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from emoclf.datasets.cells import shorten
from emoclf.datasets.data_files import check_file, reading
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.labels import Label, find_class
from emoclf.display import shorten_text
from emoclf.errors import DataError, did_you_mean
from emoclf.settings.sections import MAX_LINE_BYTES

logger = logging.getLogger(__name__)

#: Columns of the file. Names are promises: files are filled in and read back later.
COLUMNS = (
    *("source", "place", "text", "label", "suggested label", "probability"),
    *("label score", "correct label"),
)
#: Cells that spreadsheets run, and those that look like the form they get here. Some
#: spreadsheets take the wide forms of the characters for the same.
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
REQUIRED_COLUMNS = ("source", "place", "text", "correct label")


class Correction(NamedTuple):
    """A corrected label, and the row that it is from.

    Parameters
    ----------
    where : str
        Place in the file of corrections.
    source, place : str
        Name of the data file and place in it.
    text, label : str
        Cells, as they are in the file.
    """

    where: str
    source: str
    place: str
    text: str
    label: str


def label_cell(labels: Sequence[str], *, multilabel: bool) -> str:
    """Return a label, or a JSON list of several, for a cell of the file.

    Examples
    --------
    >>> label_cell(["joy"], multilabel=False), label_cell(["joy"], multilabel=True)
    ('joy', '["joy"]')
    """
    return json.dumps([*labels], ensure_ascii=False) if multilabel else labels[0]


def safe_cell(text: str) -> str:
    """Return the cell of a text, which no spreadsheet runs as a formula.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("'=1+1"), safe_cell("'tis")
    ("'=1+1", "''=1+1", "'tis")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def text_of_cell(cell: str) -> str:
    """Return the text of a cell from :func:`safe_cell`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def read_corrections(path: str | os.PathLike[str]) -> list[Correction]:
    """Read the rows that were filled in.

    Raises
    ------
    DataError
        If it is not a file of ``emoclf audit -o``.
    """
    path = check_file(path)
    corrections, locations = [], set()
    limit = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        with reading(path), open(path, encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = [
                name for name in REQUIRED_COLUMNS if name not in (rows.fieldnames or ())
            ]
            if missing:
                raise DataError(
                    f"{path} has no column {missing[0]!r}. Corrections are made in the "
                    "file that 'emoclf audit -o' writes; keep its columns and commas."
                )
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                if None in row or None in row.values():
                    count = "many" if None in row else "few"
                    raise DataError(
                        f"{where}: the row has too {count} cells. Correct it: a cell "
                        'with a comma is in quotes, as "[""joy"", ""fear""]" is.'
                    )
                cells = [row[name] for name in REQUIRED_COLUMNS]
                if not cells[-1].strip():
                    continue
                cells[:2] = map(text_of_cell, cells[:2])
                location = (cells[0], cells[1])
                if location in locations:
                    raise DataError(
                        f"{where}: {cells[0]}, {cells[1]} is corrected twice. Keep one "
                        "of the rows."
                    )
                locations.add(location)
                corrections.append(Correction(where, *cells))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as CSV in UTF-8 ({error}). Save it in this form."
        ) from None
    finally:
        csv.field_size_limit(limit)
    return corrections


def correct_labels(
    datasets: Sequence[Dataset], path: str | os.PathLike[str]
) -> list[Dataset]:
    """Return datasets with the labels that a file of corrections gives them.

    Parameters
    ----------
    datasets : sequence of Dataset
        Files of a training: each correction belongs to one of them.
    path : path
        File that ``emoclf audit -o`` wrote and somebody filled in.

    Raises
    ------
    DataError
        If the file cannot be read, a text is no longer at its place, or a label is not
        one of the classes.
    """
    corrections = read_corrections(path)
    own: list[list[Correction]] = [[] for _ in datasets]
    for correction in corrections:
        own[_dataset_index(correction, datasets)].append(correction)
    corrected = [_corrected(*pair) for pair in zip(datasets, own, strict=True)]
    logger.info("%s: %d labels corrected.", path, len(corrections))
    return corrected


def _dataset_index(correction: Correction, datasets: Sequence[Dataset]) -> int:
    """Return the position of the file that a correction belongs to."""
    sources = [dataset.source for dataset in datasets]
    if correction.source in sources:
        return sources.index(correction.source)
    # The same file has another path from another folder.
    names = [os.path.basename(source) for source in sources]
    name = os.path.basename(correction.source)
    if names.count(name) == 1:
        return names.index(name)
    problem = f"the files of this training are {shorten(names)}"
    if name in names:
        problem = f"several files of this training are called {name!r}"
    raise DataError(
        f"{correction.where}: the correction is for {correction.source!r}, but "
        f"{problem}. Give the files as they were audited."
    )


def _corrected(dataset: Dataset, corrections: Iterable[Correction]) -> Dataset:
    """Return a dataset with other labels."""
    position_of = {dataset.place(i): i for i in range(len(dataset))}
    labels = list(dataset.labels)
    for correction in corrections:
        position = position_of.get(correction.place)
        # An older emoclf, and spreadsheets that drop the apostrophe, write it plainly.
        texts = correction.text, text_of_cell(correction.text)
        if position is None or dataset.texts[position] not in texts:
            got = "no text" if position is None else repr(dataset.texts[position])
            raise DataError(
                f"{correction.where}: {dataset.source}, {correction.place} was "
                f"{shorten_text(correction.text)!r}. Got {shorten_text(got)} instead: "
                "the data or the text changed after the audit. Audit the file again."
            )
        labels[position] = _label(correction, dataset)
    return replace(dataset, labels=tuple(labels))


def _label(correction: Correction, dataset: Dataset) -> Label:
    names = [correction.label]
    if dataset.multilabel:
        try:
            names = json.loads(correction.label)
        except json.JSONDecodeError:
            names = correction.label.split(",")
        if not isinstance(names, list) or not all(isinstance(x, str) for x in names):
            names = [correction.label]
    classes = dataset.label_names
    matches = []
    for name in map(str.strip, names):
        match = find_class(name, classes)
        # A label that was copied from another column.
        match = match if match is not None else find_class(text_of_cell(name), classes)
        if match is None:
            raise DataError(
                f"{correction.where}: the correct label {name!r} is not one of "
                f"{shorten(classes)}.{did_you_mean(name, classes)}"
            )
        matches.append(match)
    return tuple(dict.fromkeys(matches)) if dataset.multilabel else matches[0]
