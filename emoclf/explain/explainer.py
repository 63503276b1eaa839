"""The methods of explanation that a classifier allows, and the choice between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from emoclf.classifier import Classifier
from emoclf.errors import SettingsError, did_you_mean, setting
from emoclf.explain.exact_shares import Shares, exact_shares
from emoclf.explain.explanation import (
    EXACT,
    GRADIENTS,
    METHODS,
    OCCLUSION,
    Explanation,
    Phrase,
    largest_first,
)
from emoclf.explain.occlusion import DESCRIPTION, occlude
from emoclf.explain.text_terms import TermsOf, TextTerms
from emoclf.explain.text_tokens import Token, TokenReader, words_between_spaces

AUTO = "auto"


class Explainer:
    """Parts that all explanations of one classifier need.

    It does not keep the classifier, so that both are forgotten together.

    Parameters
    ----------
    classifier : Classifier
    """

    def __init__(self, classifier: Classifier) -> None:
        self.reader = TokenReader.of(classifier)
        #: Function of the terms of a text, or why there is none.
        self.terms = _terms_of(classifier)
        self.has_gradients = _is_smooth(classifier)
        self._gradients: Any = None

    def explain(
        self, classifier: Classifier, text: str, label: str | None, method: str
    ) -> Explanation:
        """Return an explanation; see :func:`emoclf.explain_text`."""
        method = self.choose(method)
        tokens, ids = self.read(text)
        read_tokens = [token for token in tokens if not token.left_out]
        probabilities = classifier.predict_proba([text])[0]
        if method == EXACT:
            shares, logits, description = self._exact(classifier, ids)
        elif method == GRADIENTS:
            shares, logits, description = self._integrate(classifier, ids)
        else:
            logits, bias, words = occlude(classifier, text, read_tokens)
            shares, description = _by_word(bias, words), DESCRIPTION
        names = tuple(classifier.label_names)
        labels = (label,) if label else _predicted(classifier, probabilities)
        contributions = np.zeros((len(tokens), len(names)), np.float32)
        contributions[[not token.left_out for token in tokens]] = shares.words
        phrases = []
        for (first, stop), numbers in zip(shares.spans, shares.phrases, strict=True):
            start, end = read_tokens[first].start, read_tokens[stop - 1].stop
            forms = tuple([token.text for token in read_tokens[first:stop]])
            phrases.append(Phrase(text[start:end], start, end, forms, numbers))
        return Explanation(
            text,
            tuple(tokens),
            names,
            labels,
            probabilities,
            logits,
            shares.bias,
            contributions,
            largest_first(phrases, [names.index(name) for name in labels]),
            method,
            method == EXACT,
            description,
        )

    def choose(self, method: str) -> str:
        """Return the method to use.

        Raises
        ------
        SettingsError
            If there is no such method, or it does not suit the classifier.
        """
        choices = (AUTO, *METHODS)
        if method not in choices:
            raise SettingsError(
                f"{setting('method')} must be one of {', '.join(choices)}. Got "
                f"{method!r}.{did_you_mean(method, choices)}"
            )
        is_exact = not isinstance(self.terms, str)
        inexact = GRADIENTS if self.has_gradients else OCCLUSION
        if method == AUTO:
            return EXACT if is_exact else inexact
        if method == EXACT and not is_exact:
            raise SettingsError(
                f"This classifier has no exact explanation: {self.terms}. Use "
                f"{setting('method', inexact)}."
            )
        if method == GRADIENTS and not self.has_gradients:
            other = setting("method", EXACT if is_exact else OCCLUSION)
            raise SettingsError(
                f"{setting('method', GRADIENTS)} needs the gradients of a Keras "
                "network that takes words. Exports, transformers and sentence_head "
                f"have none. Use {other}, or, for an export, give its bundle."
            )
        return method

    def read(self, text: str) -> tuple[list[Token], np.ndarray]:
        """Return all tokens of a text, and the ids of those that are read."""
        if self.reader is not None:
            return self.reader.read(text)
        return words_between_spaces(text), np.zeros(0, np.int64)

    def _exact(
        self, classifier: Classifier, ids: np.ndarray
    ) -> tuple[Shares, np.ndarray, str]:
        """Return exact shares, the logits that they sum to, and a description."""
        assert not isinstance(self.terms, str)
        terms = self.terms(ids)
        shares = exact_shares(terms, len(ids))
        description = exact_description(terms)
        precision = getattr(classifier, "precision", "float32")
        if precision != "float32":
            description += f" The classifier rounds these numbers to {precision}."
        return shares, shares.bias + shares.words.sum(0), description

    def _integrate(
        self, classifier: Any, ids: np.ndarray
    ) -> tuple[Shares, np.ndarray, str]:
        """Return integrated gradients, the logits, and a description."""
        from emoclf.explain import integrated_gradients  # It imports TensorFlow.

        if self._gradients is None:
            self._gradients = integrated_gradients.IntegratedGradients(
                classifier.bundle
            )
        logits, bias, words = self._gradients(ids)
        gap = float(np.abs(logits - bias - words.sum(0)).max())
        description = integrated_gradients.DESCRIPTION.format(gap=gap)
        return _by_word(bias, words), logits, description


def exact_description(terms: TextTerms) -> str:
    """Return what the numbers of an exact explanation are."""
    sentences = ["Exact: the words and the bias sum to the logit."]
    if terms.filters and terms.activation != "relu":
        sentences.append(
            f"An n-gram is divided among its words in proportion, since "
            f"{terms.activation} is not linear."
        )
    if any(ngrams.pairs is not None for ngrams in terms.ngrams):
        sentences.append("A word pair gives half to each word.")
    return " ".join(sentences)


def _by_word(bias: np.ndarray, words: np.ndarray) -> Shares:
    """Return shares whose phrases are the words."""
    return Shares(bias, words, [(i, i + 1) for i in range(len(words))], words)


def _predicted(classifier: Classifier, probabilities: np.ndarray) -> tuple[str, ...]:
    """Return the predicted labels, or the most probable one if there are none."""
    if classifier.multilabel:
        (labels,) = classifier.name_labels(probabilities[None])
        if labels:
            return tuple(labels)
    return (classifier.label_names[int(probabilities.argmax())],)


def _has_network(classifier: Any) -> bool:
    """Return whether a classifier has a Keras network that takes token ids."""
    # A Predictor, whose module is not imported for this.
    return hasattr(classifier, "bundle") and classifier.bundle.inputs is None


def _is_smooth(classifier: Any) -> bool:
    """Return whether gradients from an empty text to a text sum to its logits."""
    # A mean vector of length one jumps where a text begins.
    return _has_network(classifier) and not getattr(
        classifier.bundle.settings.model, "takes_pooled", False
    )


def _terms_of(classifier: Any) -> TermsOf | str:
    if _has_network(classifier):
        from emoclf.explain.bundle_terms import bundle_terms  # It imports TensorFlow.

        return bundle_terms(classifier.bundle)
    if hasattr(classifier, "bundle"):
        return "its network takes vectors that depend on all words of a text"
    from emoclf.folded import FoldedClassifier

    if isinstance(classifier, FoldedClassifier):
        from emoclf.explain.folded_terms import folded_terms

        return folded_terms(classifier)
    return f"the terms of its network are not available ({type(classifier).__name__})"
