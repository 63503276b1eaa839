"""The explanation of one text: what each word adds to the logit of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from emoclf.display import HtmlLines, count_of, shorten_text
from emoclf.errors import DataError, did_you_mean
from emoclf.explain.text_tokens import CUT, STOP_WORD, Token

EXACT, GRADIENTS, OCCLUSION = "exact", "integrated-gradients", "occlusion"
METHODS = (EXACT, GRADIENTS, OCCLUSION)


class Phrase(NamedTuple):
    """A word, or neighbouring words that a classifier reads together.

    Parameters
    ----------
    text : str
        The part of the text from the first to the last word.
    start, stop : int
        Place in the text.
    tokens : tuple of str
        Normal forms of the tokens.
    contributions : ndarray of float, shape (n_classes,)
        Share in the logit of each class.
    """

    text: str
    start: int
    stop: int
    tokens: tuple[str, ...]
    contributions: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(HtmlLines):
    """What each word of a text adds to the logit of each class.

    For every class ``logits == bias + contributions.sum(0) + gap``. Positive numbers
    count for a class, negative ones against it. With one label for each text, only
    differences between classes matter: a number that all classes have has no effect.

    Parameters
    ----------
    text : str
    tokens : tuple of Token
        Tokens with their places in the text, and whether they are known and read.
    label_names : tuple of str
        Names of the classes, in the order of the columns.
    labels : tuple of str
        Labels to show: the predicted ones; of a multilabel text without any, the most
        probable one.
    probabilities : ndarray of float32, shape (n_classes,)
        What ``predict_proba`` returns.
    logits : ndarray of float32, shape (n_classes,)
        Logits of the probabilities; with occlusion their log-odds.
    bias : ndarray of float32, shape (n_classes,)
        Part of the logits that belongs to no word.
    contributions : ndarray of float32, shape (n_tokens, n_classes)
    phrases : tuple of Phrase
        N-grams and their shares, beginning with the largest share in ``labels``. The
        shares of phrases and those of words divide the same sum in two ways.
    method : {"exact", "integrated-gradients", "occlusion"}
    is_exact : bool
        Whether the shares are those of the network itself, up to rounding.
    description : str
        What the numbers are.
    """

    text: str
    tokens: tuple[Token, ...]
    label_names: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: np.ndarray
    logits: np.ndarray
    bias: np.ndarray
    contributions: np.ndarray
    phrases: tuple[Phrase, ...]
    method: str
    is_exact: bool
    description: str

    def __repr__(self) -> str:
        labels = ", ".join(self.labels)
        return f"<Explanation ({self.method}) of {shorten_text(self.text)!r}: {labels}>"

    @property
    def gap(self) -> np.ndarray:
        """Part of the logits that the words and the bias leave over, (n_classes,)."""
        return self.logits - self.bias - self.contributions.sum(0)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about words that are not read or not known."""
        read = [token for token in self.tokens if not token.left_out]
        if not read:
            return ("The classifier reads no word of this text: the bias decides.",)
        notes = []
        for reason, sentence in (
            (CUT, "{} beyond the length at which the classifier cuts texts"),
            (STOP_WORD, "{} left out as stop words"),
        ):
            if number := sum(token.left_out == reason for token in self.tokens):
                notes.append(f"Not read: {sentence.format(count_of('word', number))}.")
        unknown = [token for token in read if not token.is_known]
        if len(unknown) == len(read):
            notes.append(
                "The classifier knows none of these words; its prediction means little."
            )
        elif unknown:
            names = ", ".join(dict.fromkeys(token.text for token in unknown))
            notes.append(f"Unknown to the classifier: {shorten_text(names)}.")
        return tuple(notes)

    def index(self, label: str) -> int:
        """Return the column of a label.

        Raises
        ------
        DataError
            If the classifier has no such label.
        """
        check_label(label, self.label_names)
        return self.label_names.index(label)

    def for_label(self, label: str) -> Explanation:
        """Return the explanation that shows another label.

        Raises
        ------
        DataError
            If the classifier has no such label.
        """
        columns = [self.index(label)]
        return replace(
            self, labels=(label,), phrases=largest_first(self.phrases, columns)
        )

    def words(self, label: str) -> list[tuple[str, float]]:
        """Return each word as it is written, and its contribution to a label."""
        values = self.contributions[:, self.index(label)].tolist()
        return [
            (self.text[token.start : token.stop], value)
            for token, value in zip(self.tokens, values, strict=True)
        ]

    def lines(self, width: int = 80, *, colour: bool | None = None) -> list[str]:
        """Return the explanation as lines of text.

        Parameters
        ----------
        width : int, default=80
            Largest number of characters of a line.
        colour : bool, optional
            Colour the background of words: blue counts for the label, orange against
            it. Default: if standard output is a terminal and the environment variable
            NO_COLOR is not set.
        """
        from emoclf.explain.explanation_lines import explanation_lines

        return explanation_lines(self, width, colour)

    def to_html(self) -> str:
        """Return a page of HTML, which needs no other file."""
        from emoclf.explain.explanation_html import html_page

        return html_page([self])

    def _repr_html_(self) -> str:
        from emoclf.explain.explanation_html import explanation_html

        return explanation_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, for JSON; lists are in the order of ``label_names``."""
        return {
            "text": self.text,
            "method": self.method,
            "is_exact": self.is_exact,
            "description": self.description,
            "notes": list(self.notes),
            "labels": list(self.labels),
            "label_names": list(self.label_names),
            "probabilities": self.probabilities.tolist(),
            "logits": self.logits.tolist(),
            "bias": self.bias.tolist(),
            "gap": self.gap.tolist(),
            "tokens": [
                {**token._asdict(), "contributions": row}
                for token, row in zip(
                    self.tokens, self.contributions.tolist(), strict=True
                )
            ],
            "phrases": [
                {
                    "text": phrase.text,
                    "start": phrase.start,
                    "stop": phrase.stop,
                    "contributions": phrase.contributions.tolist(),
                }
                for phrase in self.phrases
            ],
        }


def check_label(label: str, label_names: tuple[str, ...]) -> None:
    """Refuse the name of a class that a classifier does not have.

    Raises
    ------
    DataError
    """
    if label not in label_names:
        raise DataError(
            f"The classifier has no label {label!r}.{did_you_mean(label, label_names)} "
            f"Its labels: {', '.join(label_names)}."
        )


def largest_first(
    phrases: Sequence[Phrase], columns: Sequence[int]
) -> tuple[Phrase, ...]:
    """Return phrases in the order of their largest share in some classes."""
    if not phrases:
        return ()
    shares = np.array([phrase.contributions for phrase in phrases])[:, list(columns)]
    order = np.argsort(-np.abs(shares).max(1), kind="stable")
    return tuple(phrases[i] for i in order.tolist())
