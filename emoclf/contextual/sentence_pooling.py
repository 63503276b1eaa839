"""One vector for each text from the vectors of its tokens, as in sentence-transformers.

A folder of sentence-transformers declares in ``modules.json``, and in the configuration
of its pooling, with which sentence vectors it was trained; others are worse.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emoclf.contextual.pretrained import EXTRA
from emoclf.errors import ModelError
from emoclf.optional import require

MODULES_FILE, CONFIG_FILE = "modules.json", "config.json"
#: Modules beside the pooling that change no vector's direction: a sentence head makes
#: its vectors of length one itself, and dropout is for training.
NEUTRAL_MODULES = ("Transformer", "Normalize", "Dropout")
#: Flags of configurations before version 5.3 of sentence-transformers, in the order in
#: which the vectors of several are concatenated.
FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def _first(vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    # Some tokenizers pad on the left.
    return vectors[np.arange(len(vectors)), mask.argmax(1)]


def _last(vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _first(vectors[:, ::-1], mask[:, ::-1])


def _largest(vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None], vectors, -np.inf).max(1)


def _weighted(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (vectors * weights[..., None]).sum(1) / weights.sum(1, keepdims=True)


def _scaled_mean(vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _weighted(vectors, mask) * np.sqrt(mask.sum(1, keepdims=True))


def _late_mean(vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the mean in which each token weighs as much as its place, from 1 on."""
    return _weighted(vectors, mask.cumsum(1) * mask)


#: Name → function of vectors (batch, length, dim) and a mask (batch, length).
POOLINGS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "cls": _first,
    "max": _largest,
    "mean": _weighted,
    "mean_sqrt_len_tokens": _scaled_mean,
    "weightedmean": _late_mean,
    "lasttoken": _last,
}
MEAN: tuple[str, ...] = ("mean",)


def pooled(
    vectors: np.ndarray, mask: np.ndarray, pooling: Sequence[str] = MEAN
) -> np.ndarray:
    """Return one vector for each text.

    Parameters
    ----------
    vectors : ndarray of float32, shape (batch, length, dim)
        Vectors of tokens, special ones such as [CLS] included.
    mask : ndarray of bool, shape (batch, length)
        False for padding.
    pooling : sequence of str
        Names of ``POOLINGS``. The vectors of several are concatenated.

    Returns
    -------
    vectors : ndarray of float, shape (batch, dim * len(pooling))
    """
    mask = mask.astype(bool)
    parts = [POOLINGS[name](vectors, mask) for name in pooling]
    return np.concatenate(parts, axis=1)


def declared_pooling(name: str) -> tuple[str, ...]:
    """Return the pooling that an encoder was trained with.

    Parameters
    ----------
    name : str
        Folder, or name on the Hugging Face Hub.

    Returns
    -------
    pooling : tuple of str
        Names of ``POOLINGS``; the mean where the encoder declares nothing, as in
        sentence-transformers.

    Raises
    ------
    ModelError
        If a configuration cannot be read, or it asks for what is not supported.
    """
    pooling = MEAN
    modules = _read(name, MODULES_FILE)
    for module in [] if modules is None else modules:
        try:
            kind, folder = module["type"].rsplit(".", 1)[-1], module["path"]
        except (TypeError, KeyError, AttributeError):
            raise _unusable(name, MODULES_FILE, f"lists {module!r}") from None
        if kind == "Pooling":
            pooling = _modes(name, f"{folder}/{CONFIG_FILE}")
        elif kind not in NEUTRAL_MODULES:
            raise ModelError(
                f"The sentence vectors of the encoder {name!r} are not supported: its "
                f"{MODULES_FILE} asks for a module {kind!r}, beside "
                f"{', '.join(NEUTRAL_MODULES)} and Pooling. Use another encoder, or an "
                "architecture that reads the vectors of its tokens, such as text_cnn."
            )
    return pooling


def _modes(name: str, file: str) -> tuple[str, ...]:
    """Return the modes in the configuration of a pooling."""
    values = _read(name, file)
    if not isinstance(values, dict):
        raise _unusable(name, file, f"contains {values!r}")
    modes = values.get("pooling_mode")
    if modes is None:
        modes = [mode for flag, mode in FLAGS.items() if values.get(flag)] or MEAN
    if isinstance(modes, str):
        modes = [modes]
    if not are_poolings(modes):
        raise _unusable(name, file, f"asks for the pooling {modes!r}")
    return tuple(modes)


def are_poolings(names: Any) -> bool:
    """Whether a value is a list of different names of ``POOLINGS``."""
    return (
        isinstance(names, list | tuple)
        and len(names) > 0
        and all(isinstance(name, str) and name in POOLINGS for name in names)
        and len({*names}) == len(names)
    )


def _read(name: str, file: str) -> Any:
    """Return a document of an encoder; None if there is no such file."""
    try:
        if ".." in file.split("/") or os.path.isabs(file):
            raise ValueError("it is not in the encoder's folder")
        path = (
            os.path.join(name, file) if os.path.isdir(name) else _from_hub(name, file)
        )
        if path is None or not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ModelError(
            f"{file} of the encoder {name!r}, which says how its sentence vectors are "
            f"made, cannot be read ({type(error).__name__}: {reason}). Without a "
            "network, give the path of a folder that contains it."
        ) from error


def _from_hub(name: str, file: str) -> str | None:
    """Return the path of a file of the hub; None if the hub does not have it."""
    hub: Any = require("huggingface_hub", extra=EXTRA, needed_by="an encoder")
    try:
        return hub.hf_hub_download(name, file)
    except hub.errors.LocalEntryNotFoundError:
        # Without a network; it may be remembered that there is no such file.
        cached_path = hub.try_to_load_from_cache(name, file)
        if isinstance(cached_path, str) or cached_path is None:
            raise
        return None
    except hub.errors.EntryNotFoundError:
        return None


def _unusable(name: str, file: str, problem: str) -> ModelError:
    return ModelError(
        f"{file} of the encoder {name!r} {problem}. Sentence vectors are made by one "
        f"or several of {', '.join(POOLINGS)}. Use another encoder, or repair the file."
    )
