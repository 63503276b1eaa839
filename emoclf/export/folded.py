"""Export a classifier as tables that NumPy alone can run.

A network *folds* if its probabilities depend on sums of numbers that each token adds by
itself: these numbers are then looked up in place of running embedding and convolution.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.errors import ExportError
from emoclf.export.formats import FORMATS, PRECISIONS
from emoclf.export.network_weights import NetworkWeights
from emoclf.export.parity import PROBABILITY_BOUND, check_parity
from emoclf.export.write_export import write_array, write_export, write_text_encoder
from emoclf.folded import (
    MEAN_EMBEDDING,
    NGRAM_LINEAR,
    TEXT_CNN,
    TEXT_CNN_NGRAMS,
    FoldedClassifier,
)
from emoclf.folded.stored_vectors import StoredVectors, round_vectors
from emoclf.folded.word_rows import (
    WordRows,
    kernel_by_shift,
    round_to_int8,
    round_to_int16,
)
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.models.ngram_scores import NGRAMS
from emoclf.predictor import Predictor
from emoclf.serving.export_folder import ExportFolder

#: Poolings whose result is a maximum or a sum over windows, each taken by itself.
POOLINGS = ("max", "average")
ROUNDINGS = {"int16": round_to_int16, "int8": round_to_int8}
#: Settings of a TextCNN that its reader needs.
TEXT_CNN_SETTINGS = (
    "kernel_sizes", "filters", "padding", "stride", "pooling", "activation", "hidden"
)  # fmt: skip


def export_folded(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    int8: bool = False,
    overwrite: bool = False,
) -> Path:
    """Export a TextCNN, or averaged embeddings, as tables for NumPy.

    The embedding and the kernels are stored; their product, which is what each token
    adds to the convolution, is computed when a text first contains the token.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    int8 : bool, default=False
        Store each token's vector as whole numbers from -127 to 127 and a scale, with
        four bits more for the 6,000 commonest tokens, and kernels as float16: a third
        of the size.
    overwrite : bool, default=False
        Replace an existing export.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        As in :func:`emoclf.export_classifier`; if the network does not fold, the
        message says why.
    """
    is_cnn = predictor.bundle.settings.architecture == "text_cnn"

    def check(folder: ExportFolder) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for precision in PRECISIONS if is_cnn else PRECISIONS[:1]:
            exact = precision == "float32" and not int8
            try:
                results[precision] = check_parity(
                    predictor,
                    FoldedClassifier(folder, precision=precision),
                    name=f"folded export in {precision}",
                    bound=PROBABILITY_BOUND if exact else None,
                )
            except ExportError as error:
                if precision == "float32":
                    raise
                # The export is good in float32; loading it in this precision fails
                # with this message.
                results[precision] = {"refused": str(error)}
        return results

    return _write(predictor, path, check, int8=int8, overwrite=overwrite)


def draft_folded(predictor: Predictor, path: str | os.PathLike[str]) -> Path:
    """Export as :func:`export_folded` does, without comparing any predictions.

    It serves to measure the size and the speed of a network before it is trained.

    Raises
    ------
    ExportError
    """
    return _write(predictor, path, lambda folder: {}, int8=False, overwrite=False)


def _write(
    predictor: Predictor,
    path: str | os.PathLike[str],
    check: Callable[[ExportFolder], dict[str, Any]],
    *,
    int8: bool,
    overwrite: bool,
) -> Path:
    settings = predictor.bundle.settings
    check_folds(settings.architecture, settings.model, int8=int8)

    def write_files(folder: Path) -> dict[str, Any]:
        if settings.architecture == "text_cnn":
            network = _write_text_cnn(predictor, folder, int8=int8)
        else:
            network = _write_mean_embedding(predictor, folder)
        return {
            **write_text_encoder(predictor.bundle.encoder, folder),
            "network": network,
        }

    return write_export(
        predictor,
        path,
        export_format="folded-int8" if int8 else "folded",
        write_files=write_files,
        check=check,
        overwrite=overwrite,
    )


def check_folds(architecture: str, model: Any, *, int8: bool) -> None:
    """Refuse settings whose network does not fold.

    Parameters
    ----------
    architecture : str
    model : Settings
        Settings of the architecture.
    int8 : bool

    Raises
    ------
    ExportError
    """
    folding = FORMATS["folded"].architectures or ()
    if architecture not in folding:
        raise ExportError(
            f"The architecture {architecture!r} does not fold: what a token adds "
            "depends on the tokens before it, or passes through several layers. Those "
            f"that fold: {', '.join(folding)}. Export it to saved-model, onnx or "
            "litert."
        )
    if architecture == "text_cnn" and model.pooling not in POOLINGS:
        raise ExportError(
            f"A TextCNN with {model.pooling!r} pooling does not fold: a pooled value "
            "depends on several windows and their order. Poolings that fold: "
            f"{', '.join(POOLINGS)}. Export it to saved-model, onnx or litert."
        )
    if architecture != "text_cnn" and int8:
        raise ExportError(
            "Averaged embeddings fold into a few numbers for each token, which gain "
            "nothing from int8. Export it to folded."
        )


def _write_text_cnn(
    predictor: Predictor, folder: Path, *, int8: bool
) -> dict[str, Any]:
    """Write the arrays of a TextCNN, and return its entry for ``emoclf.json``."""
    settings: Any = predictor.bundle.settings.model
    weights = NetworkWeights(predictor.bundle.model)
    convolutions = weights.convolutions(settings)
    arrays = {"conv_bias": np.concatenate([bias for *_, bias in convolutions])}
    vectors = StoredVectors(weights.embedding())
    if int8:
        rows, scale, fine = round_vectors(vectors.rows)
        vectors = StoredVectors(rows, scale, fine)
        arrays |= {"embedding_scale": scale, "embedding_fine": fine}
    arrays["embedding"] = vectors.rows
    for number, (windows, kernels, _) in enumerate(convolutions):
        kernel = kernel_by_shift(windows, kernels)
        stored = kernel.astype(np.float16 if int8 else np.float32)
        arrays[f"kernel_{number}"] = stored
        kernel = stored.astype(np.float32)
        dim, n_shifts, _ = kernel.shape
        word_rows = WordRows(vectors, kernel.reshape(dim, -1))
        for precision, round_to in ROUNDINGS.items():
            rounding = round_to(word_rows, n_shifts)
            arrays[f"{precision}_step_{number}"] = rounding.step
            arrays[f"{precision}_middle_{number}"] = rounding.middle
    if settings.hidden:
        arrays["hidden_kernel"] = weights["hidden/kernel"]
        arrays["hidden_bias"] = weights["hidden/bias"]
    head = _head(weights)
    for name, values in (arrays | head).items():
        write_array(folder / f"{name}.npy", values)
    kind = TEXT_CNN_NGRAMS if "ngram_words" in head else TEXT_CNN
    entries = {name: getattr(settings, name) for name in TEXT_CNN_SETTINGS}
    return {"kind": kind, **entries, "int8": int8}


def _head(weights: NetworkWeights) -> dict[str, np.ndarray]:
    """Return the arrays of the head, and of a linear part that is mixed with it."""
    kernel, bias = weights.head()
    arrays = {"head_kernel": kernel, "head_bias": bias}
    if f"{NGRAMS}/words" in weights:
        for name in ("words", "pairs", "bias"):
            arrays[f"ngram_{name}"] = weights[f"{NGRAMS}/{name}"]
    return arrays


def _write_mean_embedding(predictor: Predictor, folder: Path) -> dict[str, Any]:
    """Write the arrays of averaged embeddings, and return their entry."""
    weights = NetworkWeights(predictor.bundle.model)
    arrays = _head(weights)
    kernel = arrays.pop("head_kernel")
    arrays["words"] = weights.embedding() @ kernel
    if has_pairs := f"{BIGRAMS}/embeddings" in weights:
        arrays["pairs"] = weights[f"{BIGRAMS}/embeddings"] @ kernel
        # No pair has row 0, which marks the end of a text.
        arrays["pairs"][0] = 0
    for name, values in arrays.items():
        write_array(folder / f"{name}.npy", values)
    kind = NGRAM_LINEAR if "ngram_words" in arrays else MEAN_EMBEDDING
    return {"kind": kind, "pairs": has_pairs}
