"""Compare an exported aspect model with its folder on hard texts and on real ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from emoclf.aspects.data.sample import load_aspect_sample
from emoclf.aspects.opinions import AspectPredictor, Opinion
from emoclf.aspects.polarities.polarity_targets import Target
from emoclf.errors import ExportError
from emoclf.export.parity import PROBABILITY_BOUND, parity_texts

#: Number of training terms that are put into sentences, so that there is something to
#: find. Emoji and combining marks before them move the offsets of bytes and of UTF-16.
N_TERMS = 100
FRAMES = (
    "👩‍👩‍👧‍👦 I liked the {} 👍🏽 and the café’s {} was awful :-(",
    "{}",
    "The {} is broken!!!! The {}, well... 我很高兴 {}",
)


def aspect_parity_texts(model: AspectPredictor) -> list[str]:
    """Return the texts on which exports of a model are compared."""
    terms = sorted(model.training_terms)[:N_TERMS]
    framed = [
        FRAMES[number % len(FRAMES)].replace("{}", term)
        for number, term in enumerate(terms)
    ]
    return [*framed, *load_aspect_sample().texts, *parity_texts()]


def check_aspect_parity(
    model: AspectPredictor, export: AspectPredictor, *, name: str
) -> dict[str, Any]:
    """Compare the terms and the polarities of an export with the model's.

    Parameters
    ----------
    model, export : AspectPredictor
    name : str
        Name of the export in messages.

    Returns
    -------
    result : dict
        ``n_texts``; ``n_terms``; ``largest_difference`` of a confidence; and ``bound``.

    Raises
    ------
    ExportError
        If a term differs, a confidence by more than the bound, or a polarity where the
        two likeliest are more than twice the bound apart.
    """
    texts = aspect_parity_texts(model)
    expected, actual = model.predict(texts), export.predict(texts)
    largest, n_terms = 0.0, 0
    for text, expected_row, actual_row in zip(texts, expected, actual, strict=True):
        spans = [
            [(x.start, x.stop, x.term) for x in row]
            for row in (expected_row, actual_row)
        ]
        if spans[0] != spans[1]:
            raise _different(name, text, *spans)
        for opinion, exported in zip(expected_row, actual_row, strict=True):
            n_terms += 1
            difference = _difference(opinion, exported)
            if not difference <= PROBABILITY_BOUND:
                raise _different(name, text, opinion, exported)
            largest = max(largest, difference)
            if opinion.polarity != exported.polarity and not _is_tie(
                model, text, opinion
            ):
                raise _different(name, text, opinion.polarity, exported.polarity)
    if model.polarity_names:
        _compare_given_targets(model, export, texts, expected, name)
    return {
        "n_texts": len(texts),
        "n_terms": n_terms,
        "largest_difference": largest,
        "bound": PROBABILITY_BOUND,
    }


def _difference(expected: Opinion, actual: Opinion) -> float:
    shares = expected.polarity_confidence, actual.polarity_confidence
    if (shares[0] is None) != (shares[1] is None):
        return np.inf
    of_polarity = abs((shares[0] or 0.0) - (shares[1] or 0.0))
    return max(abs(expected.confidence - actual.confidence), of_polarity)


def _is_tie(model: AspectPredictor, text: str, opinion: Opinion) -> bool:
    """Say whether rounding can change the polarity of a term."""
    if not model.polarity_names:
        return False
    target = Target(text, opinion.start, opinion.stop)
    ordered = np.sort(model.predict_polarity([target])[0])
    return bool(ordered[-1] - ordered[-2] <= 2 * PROBABILITY_BOUND)


def _compare_given_targets(
    model: AspectPredictor,
    export: AspectPredictor,
    texts: list[str],
    opinions: list[list[Opinion]],
    name: str,
) -> None:
    """Compare the probabilities of targets that the caller names."""
    # Whole texts and their first characters too, which may be a part of a token.
    targets = [
        Target(text, start, stop)
        for text, row in zip(texts, opinions, strict=True)
        for start, stop in {(0, len(text)), (0, 1), *((x.start, x.stop) for x in row)}
        if text[start:stop].strip() and stop <= len(text)
    ]
    expected, actual = (x.predict_polarity(targets) for x in (model, export))
    differences = np.abs(expected - actual).max(1)
    worst = int(np.nan_to_num(differences, nan=np.inf).argmax())
    if not differences[worst] <= PROBABILITY_BOUND:
        raise _different(name, targets[worst].text, expected[worst], actual[worst])


def _different(name: str, text: str, expected: object, actual: object) -> ExportError:
    return ExportError(
        f"The {name} and the model differ on the text {text[:60]!r}: {actual} instead "
        f"of {expected}. Confidences may differ by {PROBABILITY_BOUND:g}. Please "
        "report this."
    )
