"""Sentences with the terms that are marked in them, by character offsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from emoclf.datasets.cells import excerpt
from emoclf.display import Described, short_names
from emoclf.errors import DataError, wrong_kind
from emoclf.text.validation import as_texts

#: Label of terms that are praised and blamed at once.
CONFLICT = "conflict"
#: Labels of terms that are polarities; others may be kinds, such as food and staff.
POLARITIES = frozenset({"positive", "negative", "neutral", CONFLICT})


class Term(NamedTuple):
    """A term in a text: ``text[start:stop]``.

    Parameters
    ----------
    start, stop : int
        Offsets in code points, as in a slice.
    label : str, optional
        Polarity, or kind of the term.
    """

    start: int
    stop: int
    label: str | None = None


@dataclass(frozen=True)
class Sentence:
    """A text and its terms, in the order of their offsets.

    Parameters
    ----------
    text : str
    terms : tuple of Term
    id : str
        Name in its file, such as ``"2339"``, for messages.
    """

    text: str
    terms: tuple[Term, ...] = ()
    id: str = ""

    def words(self, term: Term) -> str:
        """Return the characters of a term."""
        return self.text[term.start : term.stop]


@dataclass(frozen=True, repr=False)
class AspectData(Described):
    """Sentences with marked terms, as :func:`read_aspects` returns them.

    Parameters
    ----------
    sentences : tuple of Sentence
    source : str
        File, for messages.
    """

    sentences: tuple[Sentence, ...]
    source: str = "the data"

    @classmethod
    def from_lists(cls, texts: Iterable[str], spans: Iterable[Any]) -> Self:
        """Check texts and the spans of each.

        Parameters
        ----------
        texts : iterable of str
        spans : iterable of lists
            For each text a list of ``(start, stop)`` or ``(start, stop, label)``.

        Raises
        ------
        DataError
            If a span lies outside of its text, is empty, or overlaps another one.
        """
        texts, span_lists = as_texts(texts), list(spans)
        if len(texts) != len(span_lists):
            raise DataError(
                f"There must be a list of spans for each text. Got {len(texts)} texts "
                f"and {len(span_lists)} lists of spans."
            )
        pairs = enumerate(zip(texts, span_lists, strict=True))
        where = "The text at index"
        return cls(
            tuple(
                new_sentence(
                    text, text_spans, id=str(number), location=f"{where} {number}"
                )
                for number, (text, text_spans) in pairs
            )
        )

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    def _facts(self) -> dict[str, object]:
        labels = self.label_counts()
        facts: dict[str, object] = {"sentences": f"{len(self):,}"}
        facts["terms"] = f"{self.n_terms:,}"
        return {**facts, "labels": short_names(list(labels))} if labels else facts

    @property
    def texts(self) -> list[str]:
        """The texts of all sentences."""
        return [sentence.text for sentence in self.sentences]

    @property
    def spans(self) -> list[list[Term]]:
        """The terms of all sentences."""
        return [list(sentence.terms) for sentence in self.sentences]

    @property
    def n_terms(self) -> int:
        """Number of terms in all sentences."""
        return sum(len(sentence.terms) for sentence in self.sentences)

    def label_counts(self) -> dict[str, int]:
        """Return the number of terms with each label, the most frequent first."""
        labels = (term.label for sentence in self for term in sentence.terms)
        return dict(Counter(x for x in labels if x is not None).most_common())

    def take(self, positions: Iterable[int]) -> Self:
        """Return the sentences at these positions."""
        chosen = tuple(self.sentences[position] for position in positions)
        return replace(self, sentences=chosen)


def as_aspect_data(data: Any, spans: Any = None) -> AspectData:
    """Return AspectData of what a caller gave: data, or texts and spans.

    Raises
    ------
    DataError
        If it is something else, or a span is wrong.
    """
    if isinstance(data, AspectData):
        if spans is not None:
            raise DataError("AspectData contains the spans. Leave the second one out.")
        return data
    if spans is None:
        advice = "give the spans of the texts too, or read a file with read_aspects"
        raise DataError(wrong_kind("data", "AspectData", data, advice))
    return AspectData.from_lists(data, spans)


def new_sentence(
    text: str, spans: Iterable[Any], *, id: str = "", location: str
) -> Sentence:
    """Check spans, and return a sentence with its terms in order.

    Parameters
    ----------
    text : str
    spans : iterable of (start, stop) or (start, stop, label)
    id : str
    location : str
        File and sentence, for errors: ``"laptops.xml, sentence 2339"``.

    Raises
    ------
    DataError
    """
    terms = [_term(text, span, location) for span in _listed(spans, location)]
    terms.sort(key=lambda term: (term.start, term.stop))
    previous: Term | None = None
    for term in terms:
        if previous is not None and term.start < previous.stop:
            raise DataError(
                f"{location}: the terms {_shown(text, previous)} and "
                f"{_shown(text, term)} overlap. Keep one of them."
            )
        previous = term
    return Sentence(text, tuple(terms), id)


def _listed(spans: Any, location: str) -> list[Any]:
    if isinstance(spans, str | bytes | dict) or not hasattr(spans, "__iter__"):
        raise DataError(
            f"{location}: spans must be a list such as [[4, 9, 'positive']]. Got "
            f"{excerpt(spans)} instead."
        )
    return list(spans)


def _term(text: str, span: Any, location: str) -> Term:
    values = list(span) if isinstance(span, list | tuple) else []
    offsets = [_whole(value) for value in values[:2]]
    label = values[2] if len(values) == 3 else None
    if (
        len(values) not in (2, 3)
        or None in offsets
        or not isinstance(label, str | None)
    ):
        raise DataError(
            f"{location}: a span must be [start, stop] or [start, stop, label]. Got "
            f"{excerpt(span)} instead."
        )
    start, stop = int(offsets[0]), int(offsets[1])  # type: ignore[arg-type]
    if not 0 <= start < stop <= len(text):
        raise DataError(
            f"{location}: the span from {start} to {stop} is not within the text, "
            f"which has {len(text)} characters: {text[:60]!r}. Correct the offsets, "
            "which count code points from 0."
        )
    if not text[start:stop].strip():
        raise DataError(
            f"{location}: the span from {start} to {stop} contains white space only: "
            f"{text[start:stop]!r}. Correct the offsets."
        )
    label = (label or "").strip() or None
    return Term(start, stop, label)


def _whole(value: Any) -> int | None:
    """Return an offset, also one of NumPy; None for anything else."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return None
    return value.__index__()


def _shown(text: str, term: Term) -> str:
    return f"{text[term.start : term.stop]!r} ({term.start} to {term.stop})"


def find_term(text: str, words: str, taken: Sequence[Any] = ()) -> tuple[int, int]:
    """Return the offsets of an occurrence that overlaps no taken span.

    The first one on borders of words is preferred: "bar" is not in "barman" then.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> find_term("the barman, the bar", "bar")
    (16, 19)
    """
    within_word = None
    start = text.find(words) if words else -1
    while start >= 0:
        stop = start + len(words)
        if all(stop <= span[0] or span[1] <= start for span in taken):
            if not (_joined(text, start) or _joined(text, stop)):
                return start, stop
            within_word = within_word or (start, stop)
        start = text.find(words, start + 1)
    if within_word is None:
        raise ValueError
    return within_word


def _joined(text: str, offset: int) -> bool:
    """Say whether an offset is between two letters or digits."""
    neighbours = text[max(0, offset - 1) : offset + 1]
    return len(neighbours) == 2 and offset > 0 and neighbours.isalnum()
