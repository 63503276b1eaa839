"""Choose the unlabelled texts that are most like the training texts.

A logistic regression tells training texts from unlabelled ones by their words, and the
texts that it takes for training texts most readily are the nearest: an estimate of the
ratio of the two densities, in place of the two language models of Moore and Lewis
(2010), "Intelligent Selection of Language Model Training Data". The words of a text are
weighted by TF-IDF and normalized, so that neither length nor a single word decides.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from emoclf.distillation.stored_arrays import StoredTexts, store_texts
from emoclf.files import new_file
from emoclf.fingerprint import digest
from emoclf.settings import TextSettings
from emoclf.text.encoder import new_tokenizer

logger = logging.getLogger(__name__)

CANDIDATES_FILE, NEAREST_FILE = "candidates", "nearest.npz"
#: Names of all files of a choice.
FILES = (CANDIDATES_FILE, f"{CANDIDATES_FILE}.ends", NEAREST_FILE)
#: Texts of either kind from which the regression is fitted, at most.
SAMPLE_TEXTS = 20_000
#: Texts that are scored at once.
BLOCK_TEXTS = 1024
#: Columns of the hashed words. A word that no sample contains has a column too: it
#: lengthens a text's vector, and so makes the text less like the training texts.
HASHED_WORDS = 1 << 20


def nearest_blocks(
    folder: Path,
    blocks: Iterable[list[str]],
    train: Sequence[str],
    count: int,
    settings: TextSettings,
) -> Iterator[list[str]]:
    """Yield the texts that are most like the training texts, in the order of the input.

    All texts are written to disk; of each, eight bytes are kept in memory. The choice
    is kept on disk too: a resumed run makes the same one, so that the teachers'
    predictions remain those of its texts.

    Parameters
    ----------
    folder : Path
        Folder for the files.
    blocks : iterable of lists of str
        Unlabelled texts.
    train : sequence of str
        Training texts.
    count : int
        Number of texts to choose.
    settings : TextSettings
        Settings of the tokenizer.

    Yields
    ------
    texts : list of str
    """
    candidates = store_texts(folder / CANDIDATES_FILE, chain.from_iterable(blocks))
    if len(candidates) <= count:
        yield from candidates.blocks(BLOCK_TEXTS)
        return
    path = folder / NEAREST_FILE
    key = digest(candidates.digest(), list(train), count, settings.to_dict())
    numbers = _chosen_before(path, key)
    if numbers is None:
        numbers = nearest_texts(candidates, train, count, settings)
        with new_file(path) as stream:
            np.savez(stream, key=np.array(key), numbers=numbers)
    for start in range(0, len(numbers), BLOCK_TEXTS):
        yield [candidates[i] for i in numbers[start : start + BLOCK_TEXTS].tolist()]


def _chosen_before(path: Path, key: str) -> np.ndarray | None:
    """Return the numbers that an earlier run chose from the same texts, if any."""
    try:
        with open(path, "rb") as file, np.load(file) as archive:
            return archive["numbers"] if str(archive["key"]) == key else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # missing or damaged: the choice is made again


def nearest_texts(
    candidates: StoredTexts,
    train: Sequence[str],
    count: int,
    settings: TextSettings,
) -> np.ndarray:
    """Return the numbers of the candidates that are most like the training texts.

    They do not depend on a run's seed, so that students share a teacher's predictions.

    Parameters
    ----------
    candidates : StoredTexts
    train : sequence of str
        Training texts.
    count : int
        Number of candidates to choose.
    settings : TextSettings
        Settings of the tokenizer.

    Returns
    -------
    numbers : ndarray of int64, shape (min(count, n_candidates),)
        In ascending order. Of equally near texts the first ones are chosen.
    """
    logger.info(
        "Choosing the %s of %s unlabelled texts that are most like the training texts.",
        f"{count:,}",
        f"{len(candidates):,}",
    )
    rng = np.random.default_rng(0)
    tokenizer = new_tokenizer(settings)
    hashed = HashingVectorizer(
        analyzer=list,  # of a list of tokens
        n_features=HASHED_WORDS,
        alternate_sign=False,
        norm=None,
        binary=True,
        dtype=np.float32,
    )

    def rows(blocks: Iterable[list[str]]) -> Iterator[csr_matrix]:
        for block in blocks:
            yield hashed.transform(tokenizer.batch(block))

    samples = [vstack([*rows(_sample(texts, rng))]) for texts in (candidates, train)]
    words, is_train = vstack(samples), np.repeat([0, 1], [x.shape[0] for x in samples])
    weights = TfidfTransformer().fit(words)
    model = LogisticRegression(solver="liblinear", class_weight="balanced")
    model.fit(weights.transform(words), is_train)
    blocks = rows(candidates.blocks(BLOCK_TEXTS))
    scores = [model.decision_function(weights.transform(block)) for block in blocks]
    return np.sort(np.argsort(-np.concatenate(scores), kind="stable")[:count])


def _sample(
    texts: Sequence[str] | StoredTexts, rng: np.random.Generator
) -> Iterator[list[str]]:
    """Yield some of the texts, or all of them if there are few."""
    size = min(len(texts), SAMPLE_TEXTS)
    numbers = np.sort(rng.choice(len(texts), size, replace=False)).tolist()
    for start in range(0, size, BLOCK_TEXTS):
        yield [texts[i] for i in numbers[start : start + BLOCK_TEXTS]]
