"""Exporting a classifier as tables that NumPy alone can run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.errors import ExportError
from emoclf.export.parity import BOUND, check_parity
from emoclf.export.write_export import size_of, write_array, write_export, write_text
from emoclf.folded import FoldedClassifier
from emoclf.folded.stored_vectors import StoredVectors, round_vectors
from emoclf.folded.word_rows import (
    PRECISIONS,
    WordRows,
    kernel_by_shift,
    round_to_int8,
    round_to_int16,
    windows_of,
)
from emoclf.models.embedding import STATIC, TRAINED
from emoclf.models.heads import LOGITS
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.predictor import Predictor
from emoclf.serving.export_folder import ExportFolder

#: Poolings whose answer for a text is known from each window alone.
POOLINGS = ("max", "average")
ROUNDINGS = {"int16": round_to_int16, "int8": round_to_int8}


def export_folded(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    int8: bool = False,
    overwrite: bool = False,
) -> Path:
    """Export a TextCNN, or averaged embeddings, as tables for NumPy.

    What is stored is the embedding and the kernels; what each word adds to the
    convolution is multiplied out when a text first has the word.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    int8 : bool, default=False
        Store each word's vector as whole numbers from -127 to 127 and a scale, with
        four bits more for the 6,000 commonest words, and kernels as float16: a third
        of the size.
    overwrite : bool, default=False
        Replace an export that stands there.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        If the network does not fold (it says why), something stands in the way, or
        the export does not answer as the predictor does; nothing is left behind.
    """
    is_cnn = predictor.bundle.settings.architecture == "text_cnn"

    def check(folder: ExportFolder) -> dict[str, Any]:
        found: dict[str, Any] = {"bytes": size_of(folder.place)}
        for precision in PRECISIONS if is_cnn else PRECISIONS[:1]:
            exact = precision == "float32" and not int8
            try:
                parity = check_parity(
                    predictor,
                    FoldedClassifier(folder, precision=precision),
                    what=f"folded form in {precision}",
                    bound=BOUND if exact else None,
                )
            except ExportError as error:
                if precision == "float32":
                    raise
                # Nobody has asked for it yet; who does will be told.
                found[precision] = {"refused": str(error)}
            else:
                found[precision] = parity.to_dict()
        return found

    return _write(predictor, path, check, int8=int8, overwrite=overwrite)


def draft_folded(predictor: Predictor, path: str | os.PathLike[str]) -> Path:
    """Export as :func:`export_folded` does, without comparing any answers.

    Of use to see how large and how fast the form of a network is before it is trained.

    Raises
    ------
    ExportError
    """

    def check(folder: ExportFolder) -> dict[str, Any]:
        return {"bytes": size_of(folder.place)}

    return _write(predictor, path, check, int8=False, overwrite=False)


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

    def fill(folder: Path) -> dict[str, Any]:
        weights = _weights(predictor)
        if settings.architecture == "text_cnn":
            about = _fold_text_cnn(predictor, weights, folder, int8=int8)
        else:
            about = _fold_mean_embedding(weights, folder)
        return {**write_text(predictor, folder), "network": about}

    return write_export(
        predictor,
        path,
        form="folded-int8" if int8 else "folded",
        fill=fill,
        check=check,
        overwrite=overwrite,
    )


def check_folds(architecture: str, model: Any, *, int8: bool) -> None:
    """Refuse settings that have no folded form.

    Parameters
    ----------
    architecture : str
    model : Settings
        Of the architecture.

    Raises
    ------
    ExportError
    """
    if architecture not in ("text_cnn", "mean_embedding"):
        raise ExportError(
            f"The architecture {architecture!r} does not fold: what a word adds "
            "depends on the words before it, or passes through several layers. A "
            "TextCNN and averaged embeddings fold. Export it to saved-model, onnx or "
            "litert."
        )
    if architecture == "text_cnn" and model.pooling not in POOLINGS:
        raise ExportError(
            f"A TextCNN with pooling={model.pooling!r} does not fold: what is kept of "
            "a filter depends on several windows and their order. Poolings that fold: "
            f"{', '.join(POOLINGS)}. Export it to saved-model, onnx or litert."
        )
    if architecture == "mean_embedding" and int8:
        raise ExportError(
            "Averaged embeddings fold into a few numbers for each word, which gain "
            "nothing from int8. Export it to folded."
        )


def _weights(predictor: Predictor) -> dict[str, np.ndarray]:
    return {w.path: np.asarray(w.numpy()) for w in predictor.bundle.model.weights}


def _embedding(weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the vectors of all words; two channels stand side by side."""
    channels = [
        weights[f"{name}/embeddings"]
        for name in (STATIC, TRAINED)
        if f"{name}/embeddings" in weights
    ]
    return np.concatenate(channels, axis=1)


def _fold_text_cnn(
    predictor: Predictor,
    weights: Mapping[str, np.ndarray],
    folder: Path,
    *,
    int8: bool,
) -> dict[str, Any]:
    settings: Any = predictor.bundle.settings.model
    kernels, biases = {}, []
    for size in settings.kernel_sizes:
        kernel, bias = _convolution(predictor, weights, size)
        kernels[size] = kernel
        biases.append(bias)
    write_array(folder / "conv_bias.npy", np.concatenate(biases))
    vectors = StoredVectors(_embedding(weights))
    if int8:
        rows, scale, fine = round_vectors(vectors.rows)
        vectors = StoredVectors(rows, scale, fine)
        write_array(folder / "embedding_scale.npy", scale)
        write_array(folder / "embedding_fine.npy", fine)
    write_array(folder / "embedding.npy", vectors.rows)
    groups = windows_of(settings.kernel_sizes, settings.padding, settings.stride)
    for number, windows in enumerate(groups):
        stored = kernel_by_shift(windows, kernels)
        if int8:
            stored = stored.astype(np.float16)
        write_array(folder / f"kernel_{number}.npy", stored)
        kernel = stored.astype(np.float32)
        dim, n_shifts, _ = kernel.shape
        word_rows = WordRows(vectors, kernel.reshape(dim, -1))
        for precision, round_to in ROUNDINGS.items():
            rounding = round_to(word_rows, n_shifts)
            write_array(folder / f"{precision}_step_{number}.npy", rounding.step)
            write_array(folder / f"{precision}_middle_{number}.npy", rounding.middle)
    if settings.hidden:
        write_array(folder / "hidden_kernel.npy", weights["hidden/kernel"])
        write_array(folder / "hidden_bias.npy", weights["hidden/bias"])
    write_array(folder / "head_kernel.npy", weights[f"{LOGITS}/kernel"])
    write_array(folder / "head_bias.npy", weights[f"{LOGITS}/bias"])
    return {
        "kind": "text_cnn",
        "kernel_sizes": list(settings.kernel_sizes),
        "filters": settings.filters,
        "padding": settings.padding,
        "stride": settings.stride,
        "pooling": settings.pooling,
        "activation": settings.activation,
        "hidden": settings.hidden,
        "int8": int8,
    }


def _convolution(
    predictor: Predictor, weights: Mapping[str, np.ndarray], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias, with batch normalisation multiplied in."""
    kernel = weights[f"conv_{size}/kernel"]
    if f"norm_{size}/gamma" not in weights:
        return kernel, weights[f"conv_{size}/bias"]
    norm = {
        name: weights[f"norm_{size}/{name}"]
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    epsilon = predictor.bundle.model.get_layer(f"norm_{size}").epsilon
    times = norm["gamma"] / np.sqrt(norm["moving_variance"] + epsilon)
    return kernel * times, norm["beta"] - norm["moving_mean"] * times


def _fold_mean_embedding(
    weights: Mapping[str, np.ndarray], folder: Path
) -> dict[str, Any]:
    head = weights[f"{LOGITS}/kernel"]
    write_array(folder / "words.npy", _embedding(weights) @ head)
    pairs = weights.get(f"{BIGRAMS}/embeddings")
    if pairs is not None:
        folded = pairs @ head
        # No pair has row 0, which stands for the end of a text.
        folded[0] = 0
        write_array(folder / "pairs.npy", folded)
    write_array(folder / "head_bias.npy", weights[f"{LOGITS}/bias"])
    return {"kind": "mean_embedding", "pairs": pairs is not None}
