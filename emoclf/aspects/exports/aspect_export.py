"""Export aspect models; each export is checked against the model before it is kept."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from emoclf._version import __version__
from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.exports.aspect_export_formats import ASPECT_EXPORTS
from emoclf.aspects.exports.aspect_parity import check_aspect_parity
from emoclf.aspects.exports.exported_aspects import TERMS
from emoclf.bundle.bundle import installed_versions
from emoclf.bundle.described_folder import ASPECT_EXPORT, EXPORT
from emoclf.errors import ExportError, did_you_mean
from emoclf.export.saved_model import check_version_folder, check_whole
from emoclf.export.write_export import write_checked
from emoclf.models.keras_globals import default_keras_globals
from emoclf.serving.export_folder import ExportFolder


@default_keras_globals()
def export_aspects(
    model: AspectModel | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    to: str,
    version: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Export an aspect model; :func:`emoclf.load_exported_aspects` reads it.

    A SavedModel takes raw strings and returns terms with offsets: tokenizer, networks,
    Viterbi and polarity run inside the graph
    (:class:`emoclf.aspects.exports.aspect_signatures.AspectSignatures` describes its
    signatures). ONNX takes token ids and returns tags and confidences, with the
    tokenizer beside it (:func:`emoclf.aspects.exports.aspect_onnx.write_onnx`).

    Parameters
    ----------
    model : AspectModel, or the path of its folder
    path : path
        A folder that does not exist yet; for a SavedModel the parent of its versions.
    to : str
        Export format: a key of the table in ``aspect_export_formats.py``.
    version : int >= 1, optional
        Version of a SavedModel, which is written to ``path/version``; default: 1.
    overwrite : bool, default=False
        Replace an existing export.

    Returns
    -------
    path : Path
        The folder of the export.

    Raises
    ------
    ExportError
        If there is no such format, the target cannot be written, or the export does not
        predict what the model predicts. Nothing is left behind.
    MissingDependency
        If a package that writes or runs the format is not installed.
    """
    target = export_target(path, to=to, version=version)
    EXPORT.check_target(target, overwrite=overwrite)
    if not isinstance(model, AspectModel):
        model = AspectModel.load(model)
    if model.polarity is not None and model.polarity.model_.encoder is not None:
        raise ExportError(
            "The polarities of this model come in part from a transformer encoder, "
            "which no export contains. Train it without the encoder, or predict with "
            "its own folder."
        )
    export_format = ASPECT_EXPORTS[to]
    write, read = map(resolve_name, (export_format.writer, export_format.reader))

    def write_files(folder: Path) -> dict[str, Any]:
        terms = json.dumps(sorted(model.training_terms))
        (folder / TERMS).write_text(terms + "\n", encoding="utf-8")
        return write(model, folder)

    def check(folder: ExportFolder) -> dict[str, Any]:
        parity = check_aspect_parity(model, read(folder), name=f"export to {to}")
        return {"float32": parity}

    return write_checked(
        target,
        _describe(model, to),
        write_files=write_files,
        write_card=partial(_card, model),
        check=check,
        overwrite=overwrite,
    )


def export_target(
    path: str | os.PathLike[str], *, to: str, version: int | None = None
) -> Path:
    """Return the folder of an export, and check what was asked for.

    Parameters and errors are those of :func:`export_aspects`.
    """
    if to not in ASPECT_EXPORTS:
        raise ExportError(
            f"There is no export format {to!r} of aspect models."
            f"{did_you_mean(to, ASPECT_EXPORTS)} Export formats: "
            f"{', '.join(ASPECT_EXPORTS)}."
        )
    if to != "saved-model":
        if version is not None:
            raise ExportError(
                f"Only a SavedModel has versions. Got version {version!r} of {to}."
            )
        return EXPORT.place(path)
    number = 1 if version is None else version
    check_whole("version", number)
    check_version_folder(path)
    return EXPORT.place(path) / str(number)


def _describe(model: AspectModel, to: str) -> dict[str, Any]:
    """Return the entries of ``emoclf.json``."""
    tagger = model.tagger.model_
    return {
        "format": EXPORT.format,
        "kind": ASPECT_EXPORT,
        "form": to,
        "emoclf": __version__,
        "tags": list(tagger.tags),
        "typed": tagger.settings.typed,
        "characters": tagger.settings.characters,
        "alphabet": list(tagger.encoder.alphabet),
        "polarity_names": list(model.polarity_names),
        "metrics": model.tagger.parts_.metrics,
        "versions": installed_versions(),
    }


def _card(model: AspectModel, about: dict[str, Any]) -> str:
    """Return the README of an export."""
    names = model.polarity_names
    polarity = f" Polarities: {', '.join(names)}." if names else ""
    test = model.tagger.parts_.metrics.get("test") or {}
    terms = test.get("model", {}).get("terms", {})
    scores = []
    if terms:
        n, f1 = terms["n_sentences"], terms["f1"]
        scores = ["", f"F1 of the terms of {n:,} test sentences: {f1:.3f}."]
    return "\n".join(
        [
            "# An aspect model",
            "",
            f"It finds the terms that a review speaks of.{polarity} Made with emoclf "
            f"{about['emoclf']}.",
            *scores,
            "",
            "```python",
            "import emoclf",
            "",
            'model = emoclf.load_exported_aspects("path/of/this/folder")',
            'model.predict(["a text"])',
            "```",
            "",
            "Terms are those of texts like the training texts: in their language, of "
            "their kind. Read some of them on your own texts before you rely on them.",
            "",
        ]
    )
