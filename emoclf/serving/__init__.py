"""Read exports of :mod:`emoclf.export`, and predict with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from emoclf.bundle.described_folder import CLASSIFIER_EXPORT, EXPORT
from emoclf.classifier import Classifier
from emoclf.errors import BundleError, EmoclfError, SettingsError, did_you_mean
from emoclf.export.formats import FORMATS, ExportFormat
from emoclf.serving.export_folder import read_export


def load_exported(path: str | os.PathLike[str], **options: Any) -> Classifier:
    """Load an exported classifier of any format.

    Nothing in the folder is run, except a SavedModel: it is a program of TensorFlow, so
    load only those that you trust.

    Parameters
    ----------
    path : path
        A folder that ``emoclf export`` wrote; or one that contains versions of a
        SavedModel in folders named 1, 2, …, of which the highest is loaded.
    **options
        Options of the format; see for instance :class:`emoclf.folded.FoldedClassifier`.

    Returns
    -------
    classifier : Classifier
        It has the ``predict`` and ``predict_proba`` of :class:`emoclf.Predictor`.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    SettingsError
        If the format has no such option.
    MissingDependency
        If the package that runs this format is not installed.
    """
    return open_export(path, CLASSIFIER_EXPORT, FORMATS, options)


def open_export(
    path: str | os.PathLike[str],
    kind: str,
    formats: Mapping[str, ExportFormat],
    options: Mapping[str, Any],
) -> Any:
    """Load an export with the reader of its format.

    Parameters
    ----------
    path : path
    kind : str
        Key of :data:`emoclf.bundle.described_folder.EXPORT_USES`.
    formats : mapping of str to ExportFormat
    options : mapping
        Options of the reader.

    Raises
    ------
    BundleError, SettingsError, MissingDependency
    """
    folder = read_export(path, kind)
    if folder.format not in formats:
        raise BundleError(
            f"{path} is an export to {folder.format!r}, which this emoclf cannot load. "
            f"It loads: {', '.join(formats)}. Upgrade with: pip install -U emoclf"
        )
    export_format = formats[folder.format]
    names = export_format.reader_options()
    for option in options:
        if option not in names:
            raise SettingsError(
                f"An export to {folder.format} has no option {option!r}."
                f"{did_you_mean(option, names)} It has: {', '.join(names) or 'none'}."
            )
    try:
        return resolve_name(export_format.reader)(folder, **options)
    except EmoclfError:
        raise
    except (ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        # The files of other runtimes are checked by the runtimes themselves.
        first_line = str(error).strip().partition("\n")[0][:200]
        raise EXPORT.damaged(
            folder.place, f"{type(error).__name__}: {first_line}"
        ) from error
