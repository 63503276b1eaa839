"""A classifier of looked-up numbers that needs NumPy and the standard library only.

``emoclf export BUNDLE --to folded`` writes its folder; neither TensorFlow nor Keras is
needed to read it, so ``pip install --no-deps emoclf numpy`` is enough. On the command
line, ``python -m emoclf.folded FOLDER`` predicts texts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np

from emoclf.bundle.json_values import JsonObject
from emoclf.classifier import check_finite
from emoclf.errors import (
    BundleError,
    EmoclfError,
    SettingsError,
    did_you_mean,
    setting,
)
from emoclf.export.formats import ENGINES, PRECISIONS
from emoclf.folded.head import Head
from emoclf.folded.network import Network
from emoclf.folded.ngram_sums import NgramLogits, NgramSums
from emoclf.folded.stored_vectors import StoredVectors
from emoclf.folded.text_cnn import Convolution, FoldedTextCNN
from emoclf.folded.unknown_words import UnknownWords
from emoclf.folded.word_rows import Rounding, windows_of
from emoclf.serving.export_folder import ExportFolder, read_export
from emoclf.serving.exported_classifier import ExportedClassifier
from emoclf.serving.exported_text import ExportedText
from emoclf.text.validation import as_texts
from emoclf.text.vocabulary import FIRST_TOKEN_ID

#: Kinds of networks in ``emoclf.json``; versions before 0.4 know those without a linear
#: part.
TEXT_CNN, TEXT_CNN_NGRAMS = "text_cnn", "text_cnn_ngrams"
MEAN_EMBEDDING, NGRAM_LINEAR = "mean_embedding", "ngram_linear"
KINDS = (TEXT_CNN, TEXT_CNN_NGRAMS, MEAN_EMBEDDING, NGRAM_LINEAR)
#: Texts of a call whose unknown words are counted, until there is no need to.
N_CHECKED_TEXTS = 100
#: Widest kernel that is read; far wider than any text's phrases.
MAX_KERNEL_SIZE = 1 << 10

__all__ = ["FoldedClassifier", "load_folded"]


def load_folded(
    path: str | os.PathLike[str],
    *,
    precision: str = "float32",
    engine: str = "numpy",
) -> FoldedClassifier:
    """Load a folded classifier; see :class:`FoldedClassifier`."""
    return FoldedClassifier(read_export(path), precision=precision, engine=engine)


class FoldedClassifier(ExportedClassifier):
    """Classifier of raw texts that looks up the contribution of each word.

    Parameters
    ----------
    folder : ExportFolder
        Export to "folded" or "folded-int8"; :func:`load_folded` takes its path.
    precision : {"float32", "int16", "int8"}, default="float32"
        Number format of the tables. Probabilities in float32 are within 1e-5 of the
        network's. int16 reads half the bytes: it is faster for many texts, and
        probabilities differ by about 1e-4. int8 reads a quarter with the engine "numba"
        (NumPy, which is slow with it, uses int16), and they differ by about 1e-2.
        ``emoclf.json`` contains the differences that were measured for this export.
    engine : {"numpy", "numba"}, default="numpy"
        numba (``pip install 'emoclf[fast]'``) compiles the loops that take most of the
        time. It is worthwhile for thousands of texts: it takes half a second to load,
        and some seconds the first time, until the compiled code is on disk.

    Raises
    ------
    SettingsError
        If the precision or engine is unknown, or does not fit the network.
    BundleError
        If the folder is an export in another format.
    MissingDependency
        If the engine is "numba" and numba is not installed.
    """

    def __init__(
        self,
        folder: ExportFolder,
        *,
        precision: str = "float32",
        engine: str = "numpy",
    ) -> None:
        _check_choice("precision", precision, PRECISIONS)
        _check_choice("engine", engine, ENGINES)
        if "network" not in folder.about or not folder.format.startswith("folded"):
            raise BundleError(
                f"{folder.place} is an export to {folder.format}, not a folded one. "
                "Load it with emoclf.load_exported."
            )
        super().__init__(folder, precision=precision, engine=engine)
        self.precision = precision
        refused = folder.about.get("parity", {}).get(precision, {}).get("refused")
        if refused:
            raise SettingsError(
                f"{setting('precision', precision)} does not fit this network: "
                f"{refused} Use {setting('precision', 'float32')}."
            )
        self.engine = engine
        self.text: ExportedText = ExportedText(folder)
        n_words = len(self.text.ids) + FIRST_TOKEN_ID
        self.network = load_network(folder, n_words, precision, engine)
        self.text.pieces.pack_as(self.network.token_bytes, self.network.pack)
        self._unknown_words: UnknownWords | None = UnknownWords(self.text.ids)
        if engine == "numba":
            from emoclf.folded.compiled import CompiledPieces

            self.text.pieces.use(CompiledPieces)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str

        Returns
        -------
        probabilities : ndarray of float32, shape (n_texts, n_classes)
        """
        texts = as_texts(texts, self.text_column)
        # Another thread may set it to None meanwhile.
        if (unknown_words := self._unknown_words) is not None:
            flat, _ = self.text.encode(texts[:N_CHECKED_TEXTS])
            if unknown_words.count(flat):
                self._unknown_words = None
        encode, predict = self.text.encode_one, self.network.predict_one
        if 0 < len(texts) <= self.network.max_one_by_one:
            rows = [predict(encode(text)) for text in texts]
            return check_finite(rows[0] if len(rows) == 1 else np.concatenate(rows))
        return check_finite(self.network.predict_many(*self.text.encode(texts)))


def load_network(
    folder: ExportFolder, n_words: int, precision: str, engine: str
) -> Network:
    """Return the network of an export, which predicts from token ids.

    Parameters
    ----------
    folder : ExportFolder
    n_words : int
        Number of ids of the vocabulary.
    precision, engine : str
        See :class:`FoldedClassifier`.

    Raises
    ------
    SettingsError
        If the precision or engine does not fit the network.
    BundleError
        If the description or an array does not fit the others.
    """
    try:
        about = JsonObject(folder.about).object("network")
        kind = about.text("kind", KINDS)
        n_classes = len(folder.about["label_names"])
        multilabel = folder.about["several"]
        ngrams = None
        if kind in (TEXT_CNN_NGRAMS, NGRAM_LINEAR):
            shape = n_words, n_classes + 1
            sums = _ngram_sums(folder, "ngram_words.npy", "ngram_pairs.npy", shape)
            ngrams = NgramLogits(sums, folder.array("ngram_bias.npy", (n_classes,)))
        if kind in (MEAN_EMBEDDING, NGRAM_LINEAR):
            shape = n_words, n_classes
            return _mean_embedding(folder, about, shape, ngrams, precision)
        pooling = about.text("pooling", ("max", "average"))
        activation = about.text("activation", ("relu", "elu", "tanh", "sigmoid"))
        convolutions = load_convolutions(folder, about, n_words, precision)
        width = sum(len(convolution.step) for convolution in convolutions)
        shapes = {"head": (width, n_classes)}
        if about.get("hidden"):
            units = about.whole("hidden", 1)
            shapes = {"hidden": (width, units), "head": (units, n_classes)}
    except ValueError as error:
        if isinstance(error, EmoclfError):
            raise
        raise folder.damaged(error) from error
    layers = [
        (
            np.array(folder.array(f"{name}_kernel.npy", shape)),
            np.array(folder.array(f"{name}_bias.npy", shape[1:])),
        )
        for name, shape in shapes.items()
    ]
    head = Head(layers, multilabel, activation)
    if engine == "numpy":
        return FoldedTextCNN(convolutions, pooling, activation, head, ngrams)
    if pooling != "max":
        raise SettingsError(
            f"{setting('engine', engine)} takes maxima; this network has {pooling!r} "
            f"pooling. Use {setting('engine', 'numpy')}."
        )
    from emoclf.folded.compiled import CompiledTextCNN

    return CompiledTextCNN(convolutions, activation, head, ngrams)


def _mean_embedding(
    folder: ExportFolder,
    about: JsonObject,
    shape: tuple[int, int],
    ngrams: NgramLogits | None,
    precision: str,
) -> Network:
    if precision != "float32":
        raise SettingsError(
            f"Averaged embeddings are looked up in float32. Got {precision!r}."
        )
    from emoclf.folded.mean_embedding import FoldedMeanEmbedding

    pairs = "pairs.npy" if about.flag("pairs") else None
    sums = _ngram_sums(folder, "words.npy", pairs, shape)
    bias = folder.array("head_bias.npy", shape[1:])
    return FoldedMeanEmbedding(sums, bias, folder.about["several"], ngrams)


def _ngram_sums(
    folder: ExportFolder, words: str, pairs: str | None, shape: tuple[int, int]
) -> NgramSums:
    """Return the scores of words and pairs in these files."""
    rows = None
    if pairs is not None:
        rows = folder.array(pairs, (None, shape[1]))
        if len(rows) < 2:
            raise ValueError(f"{pairs} must have a row for at least one pair")
    return NgramSums(folder.array(words, shape), rows)


def load_convolutions(
    folder: ExportFolder, about: JsonObject, n_words: int, precision: str
) -> list[Convolution]:
    """Return the convolutions of a folded TextCNN; see :func:`load_network`."""
    sizes = about.wholes("kernel_sizes", 1, MAX_KERNEL_SIZE)
    filters = about.whole("filters", 1)
    int8 = about.flag("int8")
    rows = folder.array("embedding.npy", (n_words, None), "i" if int8 else "f")
    dim = rows.shape[1]
    vectors = StoredVectors(rows)
    if int8:
        scale = folder.array("embedding_scale.npy", (n_words,))
        fine = folder.array("embedding_fine.npy", (None, (dim + 1) // 2), "u")
        vectors = StoredVectors(rows, scale, fine)
    bias = np.array(folder.array("conv_bias.npy", (len(sizes) * filters,)))
    convolutions, start = [], 0
    padding = about.text("padding", ("same", "valid"))
    groups = windows_of(sizes, padding, about.whole("stride", 1))
    for number, windows in enumerate(groups):
        columns = len(windows.sizes) * filters
        n_shifts = len(windows.shifts)
        rounding = None
        if precision != "float32":
            step = folder.array(f"{precision}_step_{number}.npy", (columns,))
            middle = folder.array(
                f"{precision}_middle_{number}.npy", (n_shifts, columns)
            )
            rounding = Rounding(np.dtype(precision), np.array(step), np.array(middle))
        # float16 in folded-int8; in float32 it stays memory-mapped.
        kernel = folder.array(f"kernel_{number}.npy", (dim, n_shifts, columns))
        kernel = kernel.astype(np.float32, copy=False)
        stop = start + columns
        convolutions.append(
            Convolution(windows, kernel, bias[start:stop], rounding, vectors)
        )
        start = stop
    return convolutions


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise SettingsError(
            f"{name} must be one of {', '.join(choices)}. Got {value!r}."
            f"{did_you_mean(value, choices)}"
        )
