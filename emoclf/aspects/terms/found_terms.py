"""Terms that a tagger finds: from texts to batches, and from tags to offsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from emoclf.aspects.data.tags import decode_tags
from emoclf.aspects.terms.sentence_encoder import SentenceEncoder, stack_texts
from emoclf.batching import batch_by_length, lengths_of


class FoundTerm(NamedTuple):
    """A term that was found in a text.

    Parameters
    ----------
    start, stop : int
        Offsets: ``text[start:stop]``.
    label : str or None
        Label of the tags, where the tagger predicts labels.
    confidence : float
        Probability of exactly these borders.
    term : str
        The characters of the term.
    """

    start: int
    stop: int
    label: str | None
    confidence: float
    term: str


def find_terms(
    texts: Sequence[str],
    encoder: SentenceEncoder,
    tags: Sequence[str],
    run: Callable[[dict[str, np.ndarray]], Mapping[str, np.ndarray]],
    *,
    characters: bool,
) -> list[list[FoundTerm]]:
    """Return the terms of each text, in the order of their offsets.

    Parameters
    ----------
    texts : sequence of str
    encoder : SentenceEncoder
    tags : sequence of str
        Tags in the order of their ids.
    run : function
        From ``token_ids`` and, if they are read, ``characters`` of a batch to ``tags``
        and ``confidence``, as :class:`emoclf.aspects.terms.tagging_graph.TaggingGraph`.
    characters : bool
        Whether characters are read.
    """
    encoded = encoder.encode(texts)
    results: list[list[FoundTerm]] = [[] for _ in texts]
    lengths = lengths_of([item.token_ids for item in encoded])
    rows = np.flatnonzero(lengths)
    for batch in batch_by_length(lengths[rows]):
        chosen = rows[batch]
        inputs = stack_texts([encoded[i] for i in chosen], characters=characters)
        outputs = run(inputs)
        # Most texts have few terms, and many none.
        with_terms = np.flatnonzero(outputs["tags"].any(1))
        for row in with_terms:
            text, spans = texts[chosen[row]], encoded[chosen[row]].spans
            tag_ids = outputs["tags"][row, : len(spans)].tolist()
            confidences = outputs["confidence"][row].tolist()
            results[chosen[row]] = [
                FoundTerm(
                    (start := spans[span.first][0]),
                    (stop := spans[span.end - 1][1]),
                    span.label,
                    confidences[span.first],
                    text[start:stop],
                )
                for span in decode_tags([tags[number] for number in tag_ids])
            ]
    return results
