"""The baseline of a tagger: the terms of the training set, looked up in texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from emoclf.aspects.data.sentences import AspectData, Term
from emoclf.aspects.data.tags import TokenSpan, align_spans
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.validation import as_texts

#: Smallest share of a term's occurrences in the training set that are marked there.
MIN_TERM_SHARE = 0.5


class TermDictionary:
    """Find the terms of the training set, the longest first.

    A sequence of tokens counts if at least half of its occurrences were terms.

    Parameters
    ----------
    tokenizer : Tokenizer, optional
    """

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        self.tokenizer = tokenizer or Tokenizer()
        self.entries: frozenset[tuple[str, ...]] = frozenset()
        self._longest = 0

    def fit(self, data: AspectData) -> TermDictionary:
        """Collect the terms of a training set."""
        marked: Counter[tuple[str, ...]] = Counter()
        gaps: list[list[str]] = []
        for sentence in data:
            tokens = self.tokenizer.tokens(sentence.text)
            spans = self.tokenizer.spans(sentence.text)
            position = 0
            for x in align_spans(sentence.terms, spans).spans:
                marked[tuple(tokens[x.first : x.end])] += 1
                gaps.append(tokens[position : x.first])
                position = x.end
            gaps.append(tokens[position:])
        # Occurrences outside of terms; "disk" in "hard disk" does not count.
        unmarked = Counter(
            words
            for tokens in gaps
            for length in sorted({len(words) for words in marked})
            for start in range(len(tokens) - length + 1)
            if (words := tuple(tokens[start : start + length])) in marked
        )
        self.entries = frozenset(
            words
            for words, count in marked.items()
            if count >= MIN_TERM_SHARE * (count + unmarked[words])
        )
        self._longest = max(map(len, self.entries), default=0)
        return self

    def predict(self, texts: Iterable[str]) -> list[list[Term]]:
        """Return the terms of each text."""
        return [self._find(text) for text in as_texts(texts)]

    def _find(self, text: str) -> list[Term]:
        tokens, spans = self.tokenizer.tokens(text), self.tokenizer.spans(text)
        matches: list[TokenSpan] = []
        position = 0
        while position < len(tokens):
            for length in range(min(self._longest, len(tokens) - position), 0, -1):
                if tuple(tokens[position : position + length]) in self.entries:
                    matches.append(TokenSpan(position, position + length))
                    position += length
                    break
            else:
                position += 1
        return [Term(spans[x.first][0], spans[x.end - 1][1]) for x in matches]
