"""Reading what :mod:`emoclf.export` wrote, and answering with it."""

from __future__ import annotations

import inspect
import os
from typing import Any

from emoclf.classifier import Classifier
from emoclf.errors import BundleError, SettingsError, did_you_mean
from emoclf.export.formats import FORMATS, load
from emoclf.serving.export_folder import read_export


def load_exported(path: str | os.PathLike[str], **options: Any) -> Classifier:
    """Load an exported classifier, whatever form it has.

    Parameters
    ----------
    path : path
        A folder that ``emoclf export`` wrote; or one that holds versions of a
        SavedModel in folders named 1, 2, …, of which the highest is taken.
    **options
        Of the form; see for instance :class:`emoclf.folded.FoldedClassifier`.

    Returns
    -------
    classifier : Classifier
        With the ``predict`` and ``predict_proba`` of :class:`emoclf.Predictor`.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    SettingsError
        If the form has no such option.
    MissingDependency
        If the package that runs this form is not installed.
    """
    folder = read_export(path)
    if folder.form not in FORMATS:
        raise BundleError(
            f"{path} has the form {folder.form!r}, which this emoclf does not know. "
            f"Known: {', '.join(FORMATS)}. Upgrade with: pip install -U emoclf"
        )
    classifier = load(FORMATS[folder.form].reader)
    known = list(inspect.signature(classifier).parameters)[1:]
    for option in options:
        if option not in known:
            raise SettingsError(
                f"An export to {folder.form} has no option {option!r}."
                f"{did_you_mean(option, known)} It has: {', '.join(known) or 'none'}."
            )
    return classifier(folder, **options)
