"""Terms of texts with what is said of each, as predictions are returned and shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from emoclf.aspects.term_highlighting import highlight, key_to_marks


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
        left = len(self) - len(shown)
        more = [f"… and {left:,} more texts"] if left else []
        lines = [*shown, *more, f"<small>{key_to_marks(labels)}</small>"]
        return "".join(f'<p dir="auto" style="line-height:1.8">{x}</p>' for x in lines)
