"""Export a classifier as a SavedModel: raw strings in, label names out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import ExportError, setting
from emoclf.export.inference_network import inference_network, quiet_logger
from emoclf.export.signatures import Signatures
from emoclf.export.write_export import write_export, write_text_encoder
from emoclf.predictor import Predictor, as_predictor
from emoclf.text.graph_encoder import GraphEncoder


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

    Texts are tokenized inside the graph, by the definition that Python uses too;
    loading it does not need emoclf. Its signatures take ``text`` (string, [batch],
    UTF-8) and return:

    ``serving_default``
        ``label`` (string, [batch]), ``labels`` (string, [batch, n_classes]) and
        ``probabilities`` (float32, [batch, n_classes]).

        With one label per text, the columns are in the order of the classes, and
        ``labels`` contains the name of each.

        With multilabel texts, the labels that reach their thresholds come first, then
        the others, both in falling order of probability; ``labels`` names the columns
        of each row. ``count`` (int32, [batch]) is the number of labels that reach
        their thresholds: the first ``count`` labels of a row are predicted. ``label``
        is the first of them, or ``""`` where there is none.
    ``predict_top``
        ``labels`` and ``probabilities``, [batch, top]: the likeliest labels. With
        multilabel texts, the first labels in the order above, and ``count``, which may
        be larger than ``top``.
    ``tokens``
        For inspection: ``tokens`` (string, [batch, length], ``""`` is padding) as the
        tokenizer returns them, and ``token_ids`` (int32, [batch, length], 0 is padding)
        as the network takes them, without stop words and cut to its maximum length.

    Parameters
    ----------
    predictor : Predictor
    path : path
        The model is written to ``path/version``.
    version : int >= 1, default=1
    top : int >= 1, default=3
        Number of labels that ``predict_top`` returns, at most one for each class.
    tokens : bool, default=False
        Let ``serving_default`` and ``predict_top`` take ``token_ids`` (int32, [batch,
        length], 0 is padding) instead of texts. The caller tokenizes, with the
        vocabulary and the tokenizer beside the model: :func:`emoclf.load_exported`
        does. There is no signature ``tokens`` then.
    overwrite : bool, default=False
        Replace this version if it exists.

    Returns
    -------
    path : Path
        The folder that contains ``saved_model.pb``.

    Raises
    ------
    ExportError
        As in :func:`emoclf.export_classifier`; also if the tokenizer cannot run in a
        graph (jieba).
    """
    check_whole("version", version)
    check_whole("top", top)
    if not tokens and predictor.bundle.encoder.tokenizer.kind == "jieba":
        raise ExportError(
            "The tokenizer 'jieba' runs in Python only, so that a SavedModel with it "
            "cannot take texts. Export one that takes token ids, with "
            f"{setting('tokens', True)}, or train with "
            f"{setting('tokenizer', 'characters')}."
        )
    check_version_folder(path)
    predictor = as_predictor(predictor)
    top = min(top, len(predictor.label_names))

    def write_files(folder: Path) -> dict[str, Any]:
        network = inference_network(predictor)
        signatures = Signatures(predictor, network, top=top, tokens=tokens)
        write_archive(folder, signatures, signatures.functions())
        about = {"input": "token_ids" if tokens else "text", "top": top}
        text = write_text_encoder(predictor.bundle.encoder, folder) if tokens else {}
        return {**text, "network": about}

    return write_export(
        predictor,
        Path(path) / str(version),
        export_format="saved-model",
        write_files=write_files,
        overwrite=overwrite,
    )


def check_version_folder(path: str | os.PathLike[str]) -> None:
    """Refuse an export as a folder of versions."""
    if (Path(path) / EXPORT.about).is_file():
        raise ExportError(
            f"{path} is an export itself; versions of a SavedModel need a folder of "
            "their own. Choose another folder."
        )


def check_whole(name: str, value: int) -> None:
    """Refuse a value that is not a whole number from 1 on."""
    if not isinstance(value, int) or value < 1:
        raise ExportError(f"{name} must be a whole number from 1 on. Got {value!r}.")


def write_archive(
    folder: Path, module: tf.Module, functions: dict[str, tuple[Any, list[Any]]]
) -> None:
    """Write a SavedModel.

    Parameters
    ----------
    folder : Path
    module : tf.Module
        Owner of the tokenizers, which have the lookup tables.
    functions : dict of str to (function, list of TensorSpec)
        The signatures.
    """
    archive = keras.export.ExportArchive()
    # Saving fails for lookup tables that belong to no tracked object. A network must
    # not belong to one: Keras would trace it once more, and find no table.
    for part in module.submodules:
        if isinstance(part, GraphEncoder):
            archive.track(part)
    for name, (function, specs) in functions.items():
        archive.add_endpoint(name, function, specs)
    try:
        with quiet_logger("tensorflow"):
            archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:
        # TensorFlow does not raise OSError, for instance on a full disk.
        raise OSError(error.message) from error
