"""Terms of texts and what texts say of them, by whatever predicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.polarities.polarity_targets import Target, as_targets
from emoclf.aspects.term_highlighting import highlight, key_to_marks
from emoclf.aspects.term_summary import TermSummary
from emoclf.aspects.terms.found_terms import FoundTerm
from emoclf.errors import ModelError
from emoclf.text.validation import as_texts

if TYPE_CHECKING:
    from emoclf.aspects.aspect_evaluation import AspectEvaluation


class Opinion(NamedTuple):
    """A term in a text, and what the text says of it.

    Parameters
    ----------
    term : str
        The characters of the term.
    polarity : str or None
        Polarity, or the label of the tags of a typed tagger.
    start, stop : int
        Offsets: ``text[start:stop]``.
    confidence : float
        Probability of exactly these borders.
    polarity_confidence : float or None
        Probability of the polarity, given the term.
    """

    term: str
    polarity: str | None
    start: int
    stop: int
    confidence: float
    polarity_confidence: float | None


class Opinions(list[list[Opinion]]):
    """Lists of opinions, one for each text; notebooks show the texts with their terms.

    Parameters
    ----------
    texts : list of str
    rows : iterable of lists of Opinion
    """

    #: Number of texts that a notebook shows.
    SHOWN = 50

    def __init__(self, texts: list[str], rows: Iterable[list[Opinion]]) -> None:
        super().__init__(rows)
        self.texts = texts

    def _repr_html_(self) -> str:
        labels = [opinion.polarity for row in self for opinion in row]
        shown = [
            highlight(text, [(x.start, x.stop, x.polarity) for x in row])
            for text, row in zip(self.texts[: self.SHOWN], self, strict=False)
        ]
        n_omitted = len(self) - len(shown)
        more = [f"… and {n_omitted:,} more texts"] if n_omitted else []
        lines = [*shown, *more, f"<small>{key_to_marks(labels)}</small>"]
        return "".join(f'<p dir="auto" style="line-height:1.8">{x}</p>' for x in lines)


class AspectPredictor(ABC):
    """What the folder of an aspect model and its exports have in common."""

    @property
    @abstractmethod
    def typed(self) -> bool:
        """Whether the tags contain the labels of terms."""

    @property
    @abstractmethod
    def training_terms(self) -> frozenset[str]:
        """Terms of the training set in lower case."""

    @property
    @abstractmethod
    def polarity_names(self) -> tuple[str, ...]:
        """Labels of the polarity classifier; empty if there is none."""

    @abstractmethod
    def find_terms(self, texts: list[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""

    @abstractmethod
    def _predict_polarity(self, targets: Sequence[Target]) -> np.ndarray:
        """Return the probability of each polarity of checked targets."""

    def predict_polarity(self, targets: Iterable[Any]) -> np.ndarray:
        """Return the probability of each polarity that a text says of a term.

        Parameters
        ----------
        targets : iterable of (str, int, int)
            Texts, and the offsets of a term in each: ``text[start:stop]``.

        Returns
        -------
        probabilities : ndarray of float32, shape (n_targets, n_polarities)
            In the order of ``polarity_names``.

        Raises
        ------
        DataError
            If a target is something else, or is outside of its text.
        ModelError
            If there is no polarity classifier.
        """
        if not self.polarity_names:
            raise ModelError(
                "This model has no polarity classifier. Train it on terms that have "
                "polarities."
            )
        return self._predict_polarity(as_targets(targets))

    def predict(self, texts: Iterable[str]) -> Opinions:
        """Return the terms of each text and what is said of them.

        Returns
        -------
        opinions : Opinions
            A list of :class:`Opinion` for each text; notebooks show the texts with
            their terms highlighted.
        """
        texts = as_texts(texts)
        term_lists = self.find_terms(texts)
        targets = [
            Target(text, term.start, term.stop)
            for text, terms in zip(texts, term_lists, strict=True)
            for term in terms
        ]
        polarities: Any = iter([(None, None)] * len(targets))
        if self.polarity_names and targets:
            probabilities = self._predict_polarity(targets)
            names = [self.polarity_names[i] for i in probabilities.argmax(1)]
            polarities = zip(names, probabilities.max(1).tolist(), strict=True)
        opinions = []
        for terms in term_lists:
            row = []
            for term in terms:
                polarity, share = next(polarities)
                polarity = polarity or term.label
                span = (term.start, term.stop)
                row.append(Opinion(term.term, polarity, *span, term.confidence, share))
            opinions.append(row)
        return Opinions(texts, opinions)

    def summary(self, texts: Iterable[str]) -> TermSummary:
        """Return the most frequent terms and their polarities."""
        summary = TermSummary()
        for opinions in self.predict(texts):
            summary.add(opinions)
        return summary

    def evaluate(self, data: AspectData) -> AspectEvaluation:
        """Return the scores of terms, of polarities, and of both together."""
        # scikit-learn takes a second to load, and predicting needs none of it.
        from emoclf.aspects.aspect_evaluation import AspectEvaluation

        return AspectEvaluation(self, data, self.predict(data.texts))
