"""Corrections of labels, in a CSV file that people fill in.

``emoclf audit -o FILE`` writes one row for each label that is probably wrong. A row
with something in the last column changes the label of its text, after a check that the
text is still at the same place. The data file is never changed.
"""

from __future__ import annotations

import csv
import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from emoclf.datasets.cells import shorten
from emoclf.datasets.data_files import check_file, reading
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.labels import Label, find_class
from emoclf.display import shorten_text
from emoclf.errors import DataError, did_you_mean

logger = logging.getLogger(__name__)

#: Columns of the file. Names are promises: files are filled in and read back later.
COLUMNS = (
    *("source", "place", "text", "label", "suggested label", "probability"),
    *("label score", "correct label"),
)
NEEDED = ("source", "place", "text", "correct label")


class Correction(NamedTuple):
    """A corrected label, and the row that it is from.

    Parameters
    ----------
    where : str
        Place in the file of corrections.
    source, place, text : str
        Name of the data file, place in it, and the text.
    label : str
        As it was filled in.
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


def read_corrections(path: str | os.PathLike[str]) -> list[Correction]:
    """Read the rows that were filled in.

    Raises
    ------
    DataError
        If it is not a file of ``emoclf audit -o``.
    """
    path = check_file(path)
    corrections = []
    try:
        with reading(path), open(path, encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path} has no column {missing[0]!r}. Corrections are made in the "
                    "file that 'emoclf audit -o' writes; keep its columns and commas."
                )
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                if None in row.values():
                    raise DataError(f"{where}: the row has too few cells. Correct it.")
                cells = [row[name] for name in NEEDED]
                if cells[-1].strip():
                    corrections.append(Correction(where, *cells))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as CSV in UTF-8 ({error}). Save it in this form."
        ) from None
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
    of_source: dict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        of_source[os.path.basename(correction.source)].append(correction)
    corrected = []
    for dataset in datasets:
        # The name alone, since the same file has another path from another folder.
        own = of_source.pop(os.path.basename(dataset.source), [])
        # Files of the same name in two folders differ in their texts.
        corrected.append(_corrected(dataset, own))
    if of_source:
        name, rest = next(iter(of_source.items()))
        names = shorten(os.path.basename(dataset.source) for dataset in datasets)
        raise DataError(
            f"{rest[0].where}: the correction is for {name!r}, but the files of this "
            f"training are {names}. Give the files that were audited."
        )
    logger.info("%s: %d labels corrected.", path, len(corrections))
    return corrected


def _corrected(dataset: Dataset, corrections: Iterable[Correction]) -> Dataset:
    """Return a dataset with other labels."""
    position_of = {dataset.place(i): i for i in range(len(dataset))}
    labels = list(dataset.labels)
    for correction in corrections:
        position = position_of.get(correction.place)
        if position is None or dataset.texts[position] != correction.text:
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
    found = []
    for name in map(str.strip, names):
        known = find_class(name, classes)
        if known is None:
            raise DataError(
                f"{correction.where}: the correct label {name!r} is not one of "
                f"{shorten(classes)}.{did_you_mean(name, classes)}"
            )
        found.append(known)
    return tuple(dict.fromkeys(found)) if dataset.multilabel else found[0]
