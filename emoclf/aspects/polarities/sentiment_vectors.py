"""Word vectors of the ready sentiment classifier: words of one mood are neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

import numpy as np

from emoclf.embeddings.coverage import MIN_COVERAGE
from emoclf.embeddings.lookup import find_words
from emoclf.embeddings.word_vectors import WordVectors
from emoclf.folded.text_cnn import FoldedTextCNN
from emoclf.ready import load_ready
from emoclf.text.tokenizer import Tokenizer

#: The ready classifier of English sentiment.
SENTIMENT = "sentiment-en"


@cache
def sentiment_vectors() -> WordVectors:
    """Return the embedding that the ready sentiment classifier has learnt.

    Distributional vectors place "good" beside "bad", which occur in the same contexts;
    these do not.
    """
    classifier = load_ready(SENTIMENT)
    network = classifier.network
    assert isinstance(network, FoldedTextCNN)
    ids = classifier.text.ids
    vectors = network.convolutions[0].rows.vectors
    rows = vectors.take(np.array(list(ids.values()), np.int64))
    return WordVectors(tuple(ids), rows, SENTIMENT)


def covered_by_sentiment(texts: Iterable[str], lowercase: bool) -> bool:
    """Say whether these vectors cover most tokens of texts, as they do in English."""
    tokenizer = Tokenizer(lowercase=lowercase)
    counts = Counter(token for text in texts for token in tokenizer.tokens(text))
    matches = find_words(sentiment_vectors(), list(counts))
    n_covered = sum(counts[token] for token in matches)
    return n_covered >= MIN_COVERAGE * max(1, counts.total())
