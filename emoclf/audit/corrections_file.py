"""Write labels that are probably wrong into a file that people fill in."""

from __future__ import annotations

import codecs
import csv
import io
import os
from pathlib import Path

from emoclf.audit.wrong_labels import WrongLabels
from emoclf.datasets.corrections import COLUMNS, label_cell, safe_cell
from emoclf.files import check_new_file, new_file


def write_corrections(
    ranking: WrongLabels, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write the label issues as CSV, with an empty column ``correct label``.

    Fill it in where a label is wrong, and train with the file:
    ``emoclf train data.csv --corrections FILE``. In multilabel data labels are JSON
    lists; names with commas between them are read as well. Cells that a spreadsheet
    would run as formulas begin with an apostrophe.

    Parameters
    ----------
    ranking : WrongLabels
    path : path
    overwrite : bool, default=False
        Replace an existing file.

    Raises
    ------
    DataError
        If the file exists or cannot be written.
    """
    path = Path(path)
    check_new_file(path, overwrite=overwrite)
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(COLUMNS)
    for one in ranking.issues:
        given, predicted = (
            label_cell(labels, multilabel=ranking.multilabel)
            for labels in (one.given_label, one.predicted_label)
        )
        numbers = (f"{one.probability:.4f}", f"{one.label_score:.4f}")
        cells = [one.source, one.place, one.text, given, predicted]
        rows.writerow([*map(safe_cell, cells), *numbers, ""])
    with new_file(path, overwrite=overwrite) as stream:
        # Lone surrogates cannot be written; such a text is not found again.
        # The mark at the beginning tells spreadsheets that it is UTF-8.
        text = table.getvalue().encode("utf-8", "replace")
        stream.write(codecs.BOM_UTF8 + text)
    return path
