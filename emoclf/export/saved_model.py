"""A SavedModel that takes raw strings and answers with label names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emoclf.datasets.sample import load_sample
from emoclf.errors import ExportError
from emoclf.files import new_folder, recover_folder
from emoclf.predictor import Predictor
from emoclf.text.graph import GraphEncoder

METADATA = "emoclf.json"
#: Largest difference of a probability between the export and the predictor.
BOUND = 1e-5
# Beside ordinary sentences: nothing, white space, marks, joined emoji, other scripts.
HARD_TEXTS = (
    "",
    " \t\n",
    "!!! …??",
    "Don't! I can’t — won't.",
    "cafe\u0301 CAFÉ İSTANBUL ΟΔΟΣ",
    "👩‍👩‍👧‍👦 👍🏽 🇫🇷 :-) <3",
    "我很高兴，真的！",
    "שלום עליכם مرحبا",
    "word " * 700,
)


def export_saved_model(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    version: int = 1,
    overwrite: bool = False,
) -> Path:
    """Export a classifier as a SavedModel, in the layout of TensorFlow Serving.

    The signature ``serving_default`` takes ``text`` (string, [batch]) and answers with
    ``label`` (string, [batch]), ``labels`` (string, [batch, n_classes]: the name of
    each column) and ``probabilities`` (float32, [batch, n_classes]). Texts are
    tokenized inside the graph, by the tokenizer's one definition; emoclf is not needed
    to load it. Before the export counts, it is loaded and compared with the predictor.

    Parameters
    ----------
    predictor : Predictor
    path : path
        The model is written to ``path/version``.
    version : int >= 1, default=1
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
    if version < 1:
        raise ExportError(f"version must be a whole number from 1 on. Got {version!r}.")
    target = Path(path) / str(version)
    recover_folder(target)
    if target.exists() and not overwrite:
        raise ExportError(
            f"{target} exists. Choose another folder or version, or replace it with "
            "overwrite=True (--overwrite on the command line)."
        )
    if target.exists() and not (target / METADATA).is_file():
        raise ExportError(
            f"{target} is not an export of emoclf, so it is left alone. Choose another "
            "folder."
        )
    try:
        # First, so that what is wrong with the path is Python's error and short.
        with new_folder(target) as folder:
            _write(predictor, folder)
            difference = check_parity(predictor, folder)
            _describe(predictor, folder, difference)
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"Cannot write {target}: {error}.") from error
    return target


def check_parity(predictor: Predictor, folder: Path) -> float:
    """Compare an export with the predictor, and return the largest difference.

    Raises
    ------
    ExportError
        If a probability differs by more than ``BOUND``, or a label differs where the
        two best are further apart than that.
    """
    texts = [*HARD_TEXTS, *load_sample().texts[:200]]
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answer = serve(text=tf.constant(texts))
    expected = predictor.predict_proba(texts)
    found = answer["probabilities"].numpy()
    difference = float(np.abs(found - expected).max())
    if not difference <= BOUND:
        worst = int(np.abs(found - expected).max(1).argmax())
        raise ExportError(
            f"The SavedModel and the predictor differ by {difference:.2g} on the text "
            f"{texts[worst][:60]!r}; at most {BOUND:g} is allowed. Please report this."
        )
    if not predictor.bundle.several:
        labels = [label.decode() for label in answer["label"].numpy()]
        best = np.sort(expected, axis=1)
        clear = best[:, -1] - best[:, -2] > 2 * BOUND
        for label, wanted, sure in zip(
            labels, predictor.predict(texts), clear, strict=True
        ):
            if sure and label != wanted:
                raise ExportError(
                    f"The SavedModel answers {label!r} where the predictor answers "
                    f"{wanted!r}. Please report this."
                )
    return difference


def _write(predictor: Predictor, folder: Path) -> None:
    bundle = predictor.bundle
    encoder = GraphEncoder(bundle.encoder)
    model = bundle.model
    names = tf.constant(list(bundle.label_names))

    def serve(text: Any) -> dict[str, Any]:
        token_ids = encoder(text).to_tensor()
        # A batch of empty texts still needs a position to look at.
        token_ids = tf.pad(token_ids, [[0, 0], [0, 1]])
        probabilities = model(token_ids, training=False)
        rows = tf.shape(probabilities)[0]
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=1)),
            "labels": tf.tile(names[None, :], [rows, 1]),
            "probabilities": probabilities,
        }

    archive = keras.export.ExportArchive()
    archive.track(model)
    # Lookup tables must hang on something tracked, or the save fails.
    archive.track(encoder)
    archive.add_endpoint("serve", serve, [tf.TensorSpec([None], tf.string, "text")])
    archive.write_out(str(folder), verbose=False)


def _describe(predictor: Predictor, folder: Path, difference: float) -> None:
    bundle = predictor.bundle
    about = {
        "label_names": list(bundle.label_names),
        "several": bundle.several,
        "thresholds": predictor.thresholds.tolist() if bundle.several else None,
        "architecture": bundle.settings.architecture,
        "versions": bundle.versions,
        "trained": bundle.created,
        "largest_difference": difference,
        "bound": BOUND,
    }
    text = json.dumps(about, indent=1) + "\n"
    (folder / METADATA).write_text(text, encoding="utf-8")
