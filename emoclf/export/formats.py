"""The table of export formats; everything that lists formats derives from it.

It loads nothing: writers and readers are named here, and imported when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from emoclf.models.registry import ARCHITECTURES


class ExportFormat(NamedTuple):
    """One format, its writer and its reader.

    Parameters
    ----------
    writer, reader : str
        ``module:name`` of the export function and of the classifier class.
    runs_on : str
        What predicts with an export, as Markdown for the README.
    needs_tensorflow : bool
        Predicting loads TensorFlow.
    architectures : tuple of str
        Architectures that can be exported with their default settings.
    extra : str or None
        Extra of the package that installs what writes and runs the format.
    writer_options : dict
        Keyword arguments that the writer gets for this format.
    """

    writer: str
    reader: str
    runs_on: str
    needs_tensorflow: bool = False
    architectures: tuple[str, ...] = tuple(ARCHITECTURES)
    extra: str | None = None
    writer_options: dict[str, Any] = {}  # noqa: RUF012  (never written to)

    @property
    def is_folded(self) -> bool:
        """Whether NumPy alone predicts, with a choice of precision and engine."""
        return self.reader.startswith("emoclf.folded:")


_INT8 = {"int8": True}

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
        "onnxruntime (`emoclf[onnx]`)",
        extra="onnx",
    ),
    "litert": ExportFormat(
        "emoclf.export.litert:export_litert",
        "emoclf.serving.litert:LiteRTClassifier",
        "LiteRT (`emoclf[litert]`)",
        extra="litert",
    ),
    "litert-int8": ExportFormat(
        "emoclf.export.litert:export_litert",
        "emoclf.serving.litert:LiteRTClassifier",
        "LiteRT, with weights rounded to 8 bits (`emoclf[litert]`)",
        extra="litert",
        writer_options=_INT8,
    ),
    "folded": ExportFormat(
        "emoclf.export.folded:export_folded",
        "emoclf.folded:FoldedClassifier",
        "NumPy alone",
        architectures=("text_cnn", "mean_embedding"),
    ),
    "folded-int8": ExportFormat(
        "emoclf.export.folded:export_folded",
        "emoclf.folded:FoldedClassifier",
        "NumPy alone, with word vectors rounded to 8 bits",
        architectures=("text_cnn",),
        writer_options=_INT8,
    ),
}


def load(reference: str) -> Any:
    """Import what ``module:name`` refers to."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def formats_table() -> str:
    """Return the formats and what predicts with each, as Markdown.

    Examples
    --------
    >>> print(formats_table().splitlines()[4])
    | `litert` | LiteRT (`emoclf[litert]`) |
    """
    rows = [f"| `{name}` | {of.runs_on} |" for name, of in FORMATS.items()]
    return "\n".join(["| `--to` | predicts with |", "|---|---|", *rows])


def architectures_table() -> str:
    """Return which architecture can be exported to which format, as Markdown.

    Examples
    --------
    >>> print(architectures_table().splitlines()[0])
    | architecture | saved-model | onnx | litert | litert-int8 | folded | folded-int8 |
    """
    rows = [
        " | ".join(
            [
                name,
                *("yes" if name in x.architectures else "–" for x in FORMATS.values()),
            ]
        )
        for name in ARCHITECTURES
    ]
    head = f"| architecture | {' | '.join(FORMATS)} |"
    return "\n".join(
        [head, "|---" * (len(FORMATS) + 1) + "|", *(f"| {x} |" for x in rows)]
    )
