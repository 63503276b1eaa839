"""Explain the texts of a corpus one by one, and sum over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from emoclf.errors import DataError, SettingsError, setting
from emoclf.explain.corpus_explanation import (
    CorpusExplanation,
    FilterView,
    PhraseEffect,
)
from emoclf.explain.exact_shares import pooled_windows, window_spans
from emoclf.explain.explainer import AUTO
from emoclf.explain.explanation import EXACT
from emoclf.explain.text_explainer import as_classifier, explainer_of
from emoclf.explain.text_terms import TextTerms
from emoclf.folded.head import activate
from emoclf.text.validation import iterate_texts

RELATIVE_NOTE = (
    "Contributions are relative to their mean over all labels, because only "
    "differences between labels affect the prediction."
)


def explain_corpus(
    classifier: Any,
    texts: Iterable[str],
    *,
    top: int = 20,
    min_count: int = 2,
    method: str = AUTO,
) -> CorpusExplanation:
    """Return the phrases that drive each class over a corpus.

    Every text is explained by itself, in the time that :func:`emoclf.explain_text`
    takes. The shares of a phrase are summed over the texts. With one label for each
    text, a share is that in the label's logit minus the mean of those in all labels':
    what all labels have drives none. For a TextCNN with max pooling, each filter's
    largest activations are kept too.

    Parameters
    ----------
    classifier : Classifier, EmotionClassifier, SearchResult, Bundle, path or name
        As in :func:`emoclf.explain_text`.
    texts : iterable of str
        Also a Dataset, or a DataFrame with a column of texts.
    top : int >= 1, default=20
        Number of phrases for each class, and of n-grams of each filter.
    min_count : int >= 1, default=2
        Phrases in fewer texts are left out.
    method : {"auto", "exact", "integrated-gradients", "occlusion"}, default="auto"
        Only "exact" has phrases of several words.

    Returns
    -------
    explanation : CorpusExplanation

    Raises
    ------
    DataError
        If there is no text, or one is not a str.
    SettingsError
        If the method does not suit the classifier, or a number is too small.
    BundleError
        If the classifier cannot be loaded, or is none.
    """
    for name, value in (("top", top), ("min_count", min_count)):
        if not isinstance(value, int) or value < 1:
            raise SettingsError(
                f"{setting(name)} must be a whole number from 1 on. Got {value!r}."
            )
    classifier = as_classifier(classifier)
    explainer = explainer_of(classifier)
    chosen = explainer.choose(method)
    names = tuple(classifier.label_names)
    totals: dict[tuple[str, ...], list[Any]] = {}
    filters: _Filters | None = None
    n_texts, description, largest_gap = 0, "", -1.0
    for text in iterate_texts(texts, classifier.text_column):
        if not isinstance(text, str):
            raise DataError(
                f"The text at index {n_texts} must be a str. Got {text!r} "
                f"({type(text).__name__}) instead; drop it, or turn it into a str."
            )
        n_texts += 1
        explanation = explainer.explain(classifier, text, None, chosen)
        # Gradients say by how much they miss the logit: that of the worst text.
        if (gap := float(np.abs(explanation.gap).max())) > largest_gap:
            description, largest_gap = explanation.description, gap
        sums: dict[tuple[str, ...], np.ndarray] = {}
        for phrase in explanation.phrases:
            shares = phrase.contributions
            if not classifier.multilabel:
                shares = shares - shares.mean()
            sums[phrase.tokens] = sums.get(phrase.tokens, 0) + shares
        for tokens, shares in sums.items():
            entry = totals.setdefault(tokens, [0, np.zeros(len(names))])
            entry[0] += 1
            entry[1] += shares
        if chosen == EXACT:
            assert not isinstance(explainer.terms, str)
            forms, ids = explainer.read(text)
            read = [token.text for token in forms if not token.left_out]
            terms = explainer.terms(ids)
            if terms.filters and terms.pooling == "max":
                filters = filters or _Filters(terms, top)
                filters.add(terms, read)
    if not n_texts:
        raise DataError("There is no text to explain. Give at least one.")
    frequent = [
        (" ".join(tokens), count, sums)
        for tokens, (count, sums) in totals.items()
        if count >= min_count
    ]
    best, worst = {}, {}
    for column, name in enumerate(names):
        effects = [
            PhraseEffect(phrase, count, float(sums[column]))
            for phrase, count, sums in frequent
        ]
        effects.sort(key=lambda effect: -effect.total)
        best[name] = tuple(e for e in effects[:top] if e.total > 0)
        worst[name] = tuple(e for e in effects[: -top - 1 : -1] if e.total < 0)
    views = filters.views(n_texts) if filters else ()
    if not classifier.multilabel:
        description += f" {RELATIVE_NOTE}"
    return CorpusExplanation(n_texts, names, best, worst, views, chosen, description)


class _Filters:
    """Largest activations of each filter over the texts so far.

    Parameters
    ----------
    terms : TextTerms
        Terms of any text.
    top : int
        Number of different n-grams to keep for each filter.
    """

    def __init__(self, terms: TextTerms, top: int) -> None:
        self._top = top
        self._columns: list[tuple[int, int]] = []
        for group in terms.filters:
            sizes = group.windows.sizes
            n = len(group.bias) // len(sizes)
            self._columns += [(size, number) for size in sizes for number in range(n)]
        n_filters = len(self._columns)
        self._ngrams: list[dict[str, float]] = [{} for _ in range(n_filters)]
        # A relu that is zero looks for nothing.
        lowest = 0.0 if terms.activation == "relu" else -np.inf
        self._least = np.full(n_filters, lowest)
        self._sums = np.zeros(n_filters)
        self._head = np.array(terms.head_kernel)

    def add(self, terms: TextTerms, read: list[str]) -> None:
        """Add a text: its terms, and the forms of the tokens that are read."""
        if not read:
            return
        begin = 0
        for group in terms.filters:
            n = len(group.bias)
            taken = pooled_windows(group, "max", terms.activation)
            value = taken.values[taken.winners, np.arange(n)] + group.bias
            activations = activate(terms.activation, value)
            part = slice(begin, begin + n)
            sizes = group.windows.sizes
            spans = {size: window_spans(group, size, len(read)) for size in sizes}
            self._sums[part] += activations
            for column in np.flatnonzero(activations > self._least[part]).tolist():
                size, _ = self._columns[begin + column]
                window = int(taken.winners[column])
                first, stop = spans[size][window]
                self._keep(
                    begin + column,
                    " ".join(read[first:stop]),
                    float(activations[column]),
                )
            begin += n

    def _keep(self, column: int, ngram: str, value: float) -> None:
        ngrams = self._ngrams[column]
        ngrams[ngram] = max(value, ngrams.get(ngram, -np.inf))
        if len(ngrams) > self._top:
            del ngrams[min(ngrams, key=ngrams.__getitem__)]
        if len(ngrams) == self._top:
            self._least[column] = min(ngrams.values())

    def views(self, n_texts: int) -> tuple[FilterView, ...]:
        """Return each filter, those with the largest effect first."""
        views = [
            FilterView(
                size,
                number,
                tuple(self._head[column].tolist()),
                float(self._sums[column] / n_texts),
                tuple(sorted(self._ngrams[column].items(), key=lambda x: -x[1])),
            )
            for column, (size, number) in enumerate(self._columns)
        ]
        return tuple(sorted(views, key=lambda view: -view.effect))
