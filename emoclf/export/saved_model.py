"""A SavedModel that takes raw strings and answers with label names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import ExportError, setting
from emoclf.export.network_export import inference_network, quiet_logger
from emoclf.export.parity import check_parity
from emoclf.export.signatures import Signatures
from emoclf.export.write_export import size_of, write_export, write_text
from emoclf.predictor import Predictor
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.saved_model import SavedModelClassifier


def export_saved_model(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    version: int = 1,
    top: int = 3,
    tokens: bool = False,
    overwrite: bool = False,
) -> Path:
    """Export a classifier as a SavedModel, in the layout of TensorFlow Serving.

    Texts are tokenized inside the graph, by the tokenizer's one definition; emoclf is
    not needed to load it. Before the export counts, it is loaded and compared with the
    predictor. Its signatures take ``text`` (string, [batch], UTF-8) and give:

    ``serving_default``
        ``label`` (string, [batch]), ``labels`` (string, [batch, n_classes]) and
        ``probabilities`` (float32, [batch, n_classes]).

        Where a text has one label, the columns stand in the order of the classes, and
        ``labels`` names each of them.

        Where a text may have several, those that reach their thresholds come first,
        then the others, both from the likeliest on; ``labels`` names each number of
        its own row. ``count`` (int32, [batch]) says how many reach their thresholds:
        the first ``count`` labels of a row are the answer. ``label`` is the first of
        them, or ``""`` where there is none.
    ``predict_top``
        ``labels`` and ``probabilities``, [batch, top]: the likeliest ones. Where a text
        may have several labels, the first of the order above, and ``count``, which may
        be larger than ``top``.
    ``tokens``
        For inspection: ``tokens`` (string, [batch, most tokens], ``""`` is padding) as
        the tokenizer cuts them, and ``token_ids`` (int32, [batch, longest], 0 is
        padding) as the network sees them, without stop words and cut to its length.

    Parameters
    ----------
    predictor : Predictor
    path : path
        The model is written to ``path/version``.
    version : int >= 1, default=1
    top : int >= 1, default=3
        Labels that ``predict_top`` names; all of them where there are fewer.
    tokens : bool, default=False
        Let ``serving_default`` and ``predict_top`` take ``token_ids`` (int32, [batch,
        length], 0 is padding) instead of texts. Whoever calls tokenizes, with the
        vocabulary and the tokenizer beside the model: :func:`emoclf.load_exported`
        does. There is no signature ``tokens`` then.
    overwrite : bool, default=False
        Replace this version if it is there.

    Returns
    -------
    path : Path
        The folder that holds ``saved_model.pb``.

    Raises
    ------
    ExportError
        If the tokenizer cannot run in a graph (jieba), something stands in the way, or
        the export does not answer as the predictor does; nothing is left behind.
    """
    _check_number("version", version)
    _check_number("top", top)
    if not tokens and predictor.bundle.encoder.tokenizer.kind == "jieba":
        raise ExportError(
            "The tokenizer 'jieba' runs in Python only, so that a SavedModel with it "
            "cannot take texts. Export one that takes token ids, with "
            f"{setting('tokens', True)}, or train with "
            f"{setting('tokenizer', 'characters')}."
        )
    if (Path(path) / EXPORT.about).is_file():
        raise ExportError(
            f"{path} is an export itself; versions of a SavedModel need a folder of "
            "their own. Choose another folder."
        )
    top = min(top, len(predictor.label_names))

    def fill(folder: Path) -> dict[str, Any]:
        _write(predictor, folder, top=top, tokens=tokens)
        about = {"input": "token_ids" if tokens else "text", "top": top}
        text = write_text(predictor, folder) if tokens else {}
        return {**text, "network": about}

    def check(folder: ExportFolder) -> dict[str, Any]:
        parity = check_parity(
            predictor, SavedModelClassifier(folder), what="SavedModel"
        )
        return {"bytes": size_of(folder.place), "float32": parity.to_dict()}

    return write_export(
        predictor,
        Path(path) / str(version),
        form="saved-model",
        fill=fill,
        check=check,
        overwrite=overwrite,
    )


def _check_number(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ExportError(f"{name} must be a whole number from 1 on. Got {value!r}.")


def _write(predictor: Predictor, folder: Path, *, top: int, tokens: bool) -> None:
    network = inference_network(predictor)
    signatures = Signatures(predictor, network, top=top, tokens=tokens)
    archive = keras.export.ExportArchive()
    archive.track(network)
    # Lookup tables must hang on something tracked, or the save fails.
    archive.track(signatures)
    for name, (function, taken) in signatures.functions().items():
        archive.add_endpoint(name, function, [taken])
    try:
        with quiet_logger("tensorflow"):
            archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:
        # A full disk, for instance: TensorFlow has its own names for it.
        raise OSError(error.message) from error
