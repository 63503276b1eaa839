"""Settings that are left to the training set: word vectors, batch size, n-grams."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence

from emoclf.datasets.dataset import Dataset
from emoclf.embeddings.coverage import MIN_COVERAGE
from emoclf.embeddings.lookup import find_words
from emoclf.embeddings.starter import STARTER, StarterVectors
from emoclf.errors import SettingsError, setting
from emoclf.settings import RunSettings
from emoclf.settings.sections import AUTO, BATCH
from emoclf.text.encoder import new_tokenizer

logger = logging.getLogger(__name__)

#: Training sets below this size get a linear classifier of n-grams beside a TextCNN.
MAX_NGRAM_TEXTS = 10_000
#: Number of texts from which the coverage of the starter vectors is estimated.
N_COVERAGE_TEXTS = 5000


def resolve(settings: RunSettings, train: Dataset) -> RunSettings:
    """Return settings in which nothing is left to the training set.

    Parameters
    ----------
    settings : RunSettings
    train : Dataset
        Training set.

    Returns
    -------
    settings : RunSettings
        With ``vectors="auto"`` replaced: by the starter vectors if they cover the
        texts, and neither a random embedding nor its width was asked for; else None.
        With ``batch_size=None`` and ``ngrams=None`` replaced, and the learning rate of
        a ``sentence_head`` on an encoder's vectors or given ones.

    Raises
    ------
    SettingsError
        If the network is to count words, but takes vectors of texts.
    """
    texts, training = train.texts, settings.training
    if train.vectors is not None or settings.embedding.encoder is not None:
        settings = _without_words(settings)
    if training.batch_size is None:
        batch_size = training.texts_per_step(len(texts))
        settings = settings.override(batch_size=batch_size)
        if batch_size != BATCH:
            logger.info("Batches of %d, for %d training texts.", batch_size, len(texts))
    if getattr(settings.model, "ngrams", True) is None:
        settings = settings.override(ngrams=len(texts) < MAX_NGRAM_TEXTS)
        if settings.model.ngrams:
            logger.info("A linear classifier of n-grams is mixed into the network.")
    if settings.embedding.vectors == AUTO:
        settings = settings.override(vectors=_automatic_vectors(settings, texts))
    return settings


def _without_words(settings: RunSettings) -> RunSettings:
    """Return the settings of a network that takes vectors of texts, not token ids."""
    if getattr(settings.model, "ngrams", False):
        cure = f"Leave {setting('ngrams', True)} out"
        if "ngrams" not in settings.model.names():
            cure = f"Use {setting('architecture', 'sentence_head')}"
        raise SettingsError(
            f"The {settings.architecture} counts n-grams, but the network takes "
            f"vectors of the texts and no words. {cure}."
        )
    if "ngrams" in settings.model.names():
        settings = settings.override(ngrams=False)
    rate = getattr(settings.model, "frozen_rate", None)
    if rate is not None and settings.training.learning_rate is None:
        rate = max(rate, settings.training.rate)
        settings = settings.override(learning_rate=rate)
        logger.info(
            "Learning rate %g, for one layer on vectors that are not trained.",
            rate,
        )
    encoder = settings.embedding.encoder
    if encoder is not None and os.path.isdir(encoder):
        # A bundle or a worker may have another working directory.
        encoder = os.path.abspath(encoder)
    return settings.override(vectors=None, encoder=encoder)


def _automatic_vectors(settings: RunSettings, texts: Sequence[str]) -> str | None:
    """Return "starter" if these vectors suit the settings and texts, else None."""
    embedding = settings.embedding
    is_random = embedding.embedding == "random" or embedding.dim is not None
    # Single characters are in the vectors too, but mean little there.
    if is_random or settings.text.tokenizer != "words":
        return None
    share = starter_coverage(settings, texts)
    if share >= MIN_COVERAGE:
        logger.info("Word vectors: the starter vectors of the package.")
        return STARTER
    logger.info(
        "The starter vectors of the package are for English, and cover %.0f %% of the "
        "tokens: the embedding is random. Word vectors of your language are better.",
        100 * share,
    )
    return None


def starter_coverage(settings: RunSettings, texts: Sequence[str]) -> float:
    """Return the share of tokens for which the starter vectors have a vector."""
    step = -(-len(texts) // N_COVERAGE_TEXTS)
    tokens = new_tokenizer(settings.text).batch(list(texts[:: max(1, step)]))
    counts = Counter(token for text in tokens for token in text)
    matches = find_words(StarterVectors(), list(counts))
    return sum(counts[token] for token in matches) / max(1, counts.total())
