"""Write a result as one HTML page that needs no network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.errors import DataError
from emoclf.files import check_new_file, exists_already, new_file
from emoclf.optional import require
from emoclf.report.page import render_page
from emoclf.report.result_pages import Extras, page_of


def write_report(
    result: Any,
    path: str | os.PathLike[str],
    *,
    audit: Any = None,
    classifier: Any = None,
    explanations: Sequence[Any] = (),
    segments: Sequence[Any] = (),
    model: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a result as one self-contained HTML page: numbers, plots, mistakes, texts.

    The page contains up to 1,000 texts of the evaluated set, the first 500 characters
    of each. Whoever gets the page gets these texts too.

    Parameters
    ----------
    result : TrainedClassifier, EvaluationReport, NetworkComparison or SearchResult
        Also an Evaluation, an AspectEvaluation, an AuditReport, the TrainingRun of
        ``emoclf train``, or anything with ``lines()``.
    path : path
        HTML file to write.
    audit : AuditReport, optional
        Audit of the data, shown beside the classes.
    classifier : Classifier, optional
        Classifier of an evaluation, which explains its mistakes and groups the texts;
        a TrainedClassifier does so by itself.
    explanations : sequence of objects with ``_repr_html_()`` or ``to_html()``
        Explanations of predictions. Their HTML is not escaped: give only what emoclf
        made.
    segments : sequence of objects, optional
        Groups of texts, each with ``column``, ``value``, ``n``, ``accuracy`` and
        ``is_weak``.
    model : path, optional
        Bundle or export whose settings and versions are shown with an evaluation.
    overwrite : bool, default=False
        Replace an existing file.

    Returns
    -------
    path : Path

    Raises
    ------
    MissingDependency
        Without the extra ``report`` (jinja2 and matplotlib).
    DataError
        If the file exists or cannot be written, or if there is no page for the result.

    Examples
    --------
    >>> write_report(trained, "report.html")  # doctest: +SKIP
    """
    path = Path(path)
    check_report(path, overwrite=overwrite)
    page = page_of(result, Extras(audit, classifier, explanations, segments, model))
    content = render_page(page.title, page.sections, subtitle=page.subtitle)
    try:
        with new_file(path, overwrite=overwrite) as stream:
            stream.write(content)
    except FileExistsError:
        raise DataError(exists_already(path)) from None
    return path


def check_report(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Raise an error before long work if a report could not be written after it.

    Raises
    ------
    MissingDependency, DataError
    """
    for module in ("jinja2", "matplotlib.figure"):
        require(module, extra="report", needed_by="An HTML report")
    check_new_file(Path(path), overwrite=overwrite)
