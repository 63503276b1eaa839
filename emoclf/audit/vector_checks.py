"""Check how much of the texts word vectors cover, and which texts they do not."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from emoclf.audit.audited_texts import AuditedTexts
from emoclf.doctor.data import check_coverage
from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import MIN_COVERAGE
from emoclf.embeddings.lookup import find_words
from emoclf.embeddings.vector_io import VectorSource
from emoclf.text.tokenizer import token_counts

#: Words of a text of which fewer than this share have a vector, where most texts do.
FOREIGN_SHARE = 0.5
MIN_WORDS = 5
MAX_MISSING = 10


@dataclass(frozen=True)
class Coverage:
    """Coverage of the training texts by word vectors.

    Parameters
    ----------
    source : str
        Name of the vectors.
    tokens, types : float
        Share of token occurrences, and of distinct tokens, with a vector.
    missing : tuple of (str, int)
        The most frequent tokens without one, and their counts.
    """

    source: str
    tokens: float
    types: float
    missing: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "missing": [list(pair) for pair in self.missing]}

    def lines(self) -> list[str]:
        """Return the coverage as text."""
        words = ", ".join(f"{token} ({count:,})" for token, count in self.missing)
        return [
            f"Vectors: {self.source} cover {self.tokens:.1%} of all tokens and "
            f"{self.types:.1%} of the distinct ones"
            f"{words and f'; the most frequent without one: {words}'}."
        ]


def check_vectors(
    texts: AuditedTexts, sources: Sequence[VectorSource], *, required: bool
) -> tuple[Coverage, list[Finding]]:
    """Return the coverage of the training texts, and the findings about it.

    Parameters
    ----------
    texts : AuditedTexts
    sources : sequence of VectorSource
        A token that any of them contains is covered.
    required : bool
        Whether low coverage is a finding: the vectors were asked for.
    """
    counts = token_counts(texts.train_tokens)
    words = sorted(set[str]().union(*texts.tokens))
    known_tokens = set[str]().union(*(find_words(source, words) for source in sources))
    missing = [
        (token, n) for token, n in counts.most_common() if token not in known_tokens
    ]
    coverage = Coverage(
        " + ".join(source.source for source in sources),
        sum(counts[token] for token in counts if token in known_tokens)
        / max(1, counts.total()),
        len(known_tokens & counts.keys()) / max(1, len(counts)),
        tuple(missing[:MAX_MISSING]),
    )
    frequent = [token for token, _ in coverage.missing]
    low = check_coverage(coverage.tokens, missing=frequent) if required else None
    findings = [low] if low else []
    if coverage.tokens >= MIN_COVERAGE:
        findings += _foreign(texts, known_tokens)
    return coverage, findings


def _foreign(texts: AuditedTexts, known_tokens: Container[str]) -> list[Finding]:
    foreign = []
    for position, tokens in enumerate(texts.tokens):
        words = [token for token in tokens if token[:1].isalpha()]
        covered = sum(token in known_tokens for token in words)
        if len(words) >= MIN_WORDS and covered < FOREIGN_SHARE * len(words):
            foreign.append(position)
    return texts.finding(
        "other-language",
        "warning",
        foreign,
        "have vectors for few of their words, unlike most texts",
        ("texts of another language", "names, codes or misspelt words"),
        ("delete these rows, or give vectors of both languages",),
    )
