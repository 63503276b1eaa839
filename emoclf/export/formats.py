"""The table of export formats; everything that lists formats derives from it.

It loads nothing: writers and readers are named here, and imported when used.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pkgutil import resolve_name
from typing import Any, NamedTuple

from emoclf.models.registry import ARCHITECTURES


class ExportFormat(NamedTuple):
    """An export format: its writer, its reader and what they need.

    Parameters
    ----------
    writer : str
        ``module:name`` of a function (predictor, path, *, overwrite, …) → path. It
        calls :func:`emoclf.export.write_export.write_export`.
    reader : str
        ``module:name`` of a class that takes an ``ExportFolder`` and is a
        :class:`emoclf.serving.exported_classifier.ExportedClassifier`.
    runs_on : str
        Software that predicts with an export, as Markdown for the README.
    extra : str or None
        Extra of the package that installs what writes and runs the format.
    needs_tensorflow : bool
        Predicting loads TensorFlow.
    is_folded : bool
        NumPy alone predicts, with a choice of precision and engine.
    is_rounded : bool
        Numbers are rounded: 99 % of the labels must equal the bundle's. Otherwise
        all labels must, and probabilities may differ by 1e-5.
    architectures : tuple of str, or None
        Architectures that can be exported with their default settings; None: all.
    writer_options : dict
        Keyword arguments that the writer gets for this format.
    """

    writer: str
    reader: str
    runs_on: str
    extra: str | None = None
    needs_tensorflow: bool = False
    is_folded: bool = False
    is_rounded: bool = False
    architectures: tuple[str, ...] | None = None
    writer_options: dict[str, Any] = {}  # noqa: RUF012  (never written to)

    def takes(self, architecture: str) -> bool:
        """Return whether an architecture can be exported with its default settings."""
        return self.architectures is None or architecture in self.architectures

    def reader_options(self) -> list[str]:
        """Return the names of the options with which an export can be loaded."""
        return list(inspect.signature(resolve_name(self.reader)).parameters)[1:]


#: Number formats of a folded export's tables, and what computes with them.
PRECISIONS = ("float32", "int16", "int8")
ENGINES = ("numpy", "numba")

FORMATS = {
    "saved-model": ExportFormat(
        "emoclf.export.saved_model:export_saved_model",
        "emoclf.serving.saved_model:SavedModelClassifier",
        "TensorFlow or TF Serving, without emoclf: raw strings in, label names out",
        needs_tensorflow=True,
    ),
    "onnx": ExportFormat(
        "emoclf.export.onnx:export_onnx",
        "emoclf.serving.onnx:OnnxClassifier",
        "onnxruntime",
        extra="onnx",
    ),
    "litert": ExportFormat(
        "emoclf.export.litert:export_litert",
        "emoclf.serving.litert:LiteRTClassifier",
        "LiteRT",
        extra="litert",
    ),
    "litert-int8": ExportFormat(
        "emoclf.export.litert:export_litert",
        "emoclf.serving.litert:LiteRTClassifier",
        "LiteRT, with weights rounded to 8 bits",
        extra="litert",
        is_rounded=True,
        writer_options={"int8": True},
    ),
    "folded": ExportFormat(
        "emoclf.export.folded:export_folded",
        "emoclf.folded:FoldedClassifier",
        "NumPy alone",
        is_folded=True,
        architectures=("text_cnn", "mean_embedding", "ngram_linear"),
    ),
    "folded-int8": ExportFormat(
        "emoclf.export.folded:export_folded",
        "emoclf.folded:FoldedClassifier",
        "NumPy alone, with word vectors rounded to 8 bits",
        is_folded=True,
        is_rounded=True,
        architectures=("text_cnn",),
        writer_options={"int8": True},
    ),
}


def formats_table() -> str:
    """Return the formats and the software that predicts with each, as Markdown.

    Examples
    --------
    >>> print(formats_table().splitlines()[4])
    | `litert` | LiteRT (`emoclf[litert]`) |
    """
    return _markdown(
        ["`--to`", "predicts with"],
        (
            [f"`{name}`", f.runs_on + (f" (`emoclf[{f.extra}]`)" if f.extra else "")]
            for name, f in FORMATS.items()
        ),
    )


def architectures_table() -> str:
    """Return which architecture can be exported to which format, as Markdown.

    Examples
    --------
    >>> print(architectures_table().splitlines()[0])
    | architecture | saved-model | onnx | litert | litert-int8 | folded | folded-int8 |
    """
    return _markdown(
        ["architecture", *FORMATS],
        (
            [name, *("yes" if f.takes(name) else "–" for f in FORMATS.values())]
            for name in ARCHITECTURES
        ),
    )


def _markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table as Markdown."""
    head, *lines = (f"| {' | '.join(row)} |" for row in (header, *rows))
    return "\n".join([head, "|---" * len(header) + "|", *lines])
