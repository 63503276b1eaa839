"""Terms of the logits of a folded classifier, with NumPy alone."""

from __future__ import annotations

from functools import partial

import numpy as np

from emoclf.explain.text_terms import (
    FilterTerms,
    NgramTerms,
    TermsOf,
    TextTerms,
    average_terms,
    normed_terms,
)
from emoclf.folded import FoldedClassifier, load_network
from emoclf.folded.mean_embedding import FoldedMeanEmbedding
from emoclf.folded.network import Network
from emoclf.folded.ngram_sums import NgramLogits, NgramSums
from emoclf.folded.text_cnn import FoldedTextCNN
from emoclf.text.vocabulary import FIRST_TOKEN_ID
from emoclf.text.word_pairs import pair_rows


def folded_terms(classifier: FoldedClassifier) -> TermsOf | str:
    """Return the function of a folded classifier's terms, or why there is none.

    Classifiers of any precision and engine are explained in float32: the explanation
    then differs from what they predict as much as float32 does.
    """
    network: Network = classifier.network
    if classifier.precision != "float32" or classifier.engine != "numpy":
        n_words = len(classifier.text.ids) + FIRST_TOKEN_ID
        network = load_network(classifier.folder, n_words, "float32", "numpy")
    if isinstance(network, FoldedMeanEmbedding):
        return partial(_mean_terms, network)
    assert isinstance(network, FoldedTextCNN)
    if network.head.has_hidden:
        return "a hidden layer mixes its n-grams"
    return partial(_cnn_terms, network)


def _cnn_terms(network: FoldedTextCNN, token_ids: np.ndarray) -> TextTerms:
    filters = []
    for layer in network.convolutions:
        layer.rows.compute(token_ids)
        by_word = layer.table.reshape(-1, layer.n_shifts, layer.columns)
        filters.append(FilterTerms(layer.windows, by_word[token_ids], layer.sum_bias))
    ngrams, bias = [], network.head.bias
    if network.ngrams is not None:
        ngrams.append(_normed(network.ngrams, token_ids))
        bias = bias + network.ngrams.bias
    # In float32 a step is 1, so that the head is the one of the export.
    kernel = network.head.kernel
    return TextTerms(filters, network.pooling, network.activation, kernel, ngrams, bias)


def _mean_terms(network: FoldedMeanEmbedding, token_ids: np.ndarray) -> TextTerms:
    ngrams = [average_terms(*_scores(network.sums, token_ids))]
    bias = network.bias
    if network.ngrams is not None:
        ngrams.append(_normed(network.ngrams, token_ids))
        bias = bias + network.ngrams.bias
    none = np.zeros((0, len(bias)), np.float32)
    return TextTerms([], "average", "relu", none, ngrams, bias)


def _normed(ngrams: NgramLogits, token_ids: np.ndarray) -> NgramTerms:
    return normed_terms(*_scores(ngrams.sums, token_ids))


def _scores(
    sums: NgramSums, token_ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the rows of the words, and of the pairs if there are any."""
    words, pairs = np.asarray(sums.words[token_ids]), None
    if sums.pairs is not None:
        buckets = len(sums.pairs) - 1
        rows = pair_rows(token_ids[:-1], token_ids[1:], buckets)
        pairs = np.asarray(sums.pairs[rows])
    return words, pairs
