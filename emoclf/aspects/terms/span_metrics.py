"""Scores of predicted spans: exact, partial, unseen terms, and errors by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from emoclf.aspects.data.sentences import AspectData
from emoclf.display import HtmlLines, align


@dataclass(frozen=True, repr=False)
class SpanScores(HtmlLines):
    """Scores of predicted spans.

    Parameters
    ----------
    n_sentences : int
    n_gold, n_predicted : int
        Number of spans.
    n_exact : int
        Predicted spans whose offsets, and label if there are any, are those of a gold
        span.
    partial : float
        Sum over predicted spans of the share of their characters that the gold span
        which they overlap most has in common with them (intersection over union); each
        gold span counts once.
    n_unseen, n_unseen_exact : int
        Gold spans whose words no training sentence has as a term, and those of them
        that were found.
    errors : dict of str to int
        "boundary": overlaps a gold span, with other borders; "label": borders of a gold
        span, with another label; "invented": overlaps none; "missed": a gold span that
        no predicted one overlaps.
    """

    n_sentences: int
    n_gold: int
    n_predicted: int
    n_exact: int
    partial: float
    n_unseen: int
    n_unseen_exact: int
    errors: dict[str, int]

    @property
    def precision(self) -> float:
        """Share of the predicted spans that are exact; 0 if there are none."""
        return self.n_exact / max(1, self.n_predicted)

    @property
    def recall(self) -> float:
        """Share of the gold spans that were found exactly; 0 if there are none."""
        return self.n_exact / max(1, self.n_gold)

    @property
    def f1(self) -> float:
        """Exact-span F1; 0 if there are no spans."""
        return 2 * self.n_exact / max(1, self.n_gold + self.n_predicted)

    @property
    def partial_f1(self) -> float:
        """F1 in which a span counts by its overlap instead of all or nothing."""
        return 2 * self.partial / max(1, self.n_gold + self.n_predicted)

    @property
    def unseen_recall(self) -> float | None:
        """Recall of terms that the training set has not; None if there are none."""
        return self.n_unseen_exact / self.n_unseen if self.n_unseen else None

    def _facts(self) -> dict[str, object]:
        return {"F1": f"{self.f1:.3f}", "spans": f"{self.n_gold:,}"}

    def lines(self) -> list[str]:
        """Return the scores as text."""
        unseen = self.unseen_recall
        rows = [
            ["precision", "recall", "F1", "partial F1", "recall of unseen terms"],
            [
                *(f"{x:.3f}" for x in (self.precision, self.recall, self.f1)),
                f"{self.partial_f1:.3f}",
                "–" if unseen is None else f"{unseen:.3f} of {self.n_unseen:,}",
            ],
        ]
        errors = ", ".join(f"{count:,} {kind}" for kind, count in self.errors.items())
        return [
            f"{self.n_sentences:,} sentences, {self.n_gold:,} terms, "
            f"{self.n_predicted:,} predicted, {self.n_exact:,} exact",
            *align(rows, left=0),
            f"errors: {errors or 'none'}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return counts and scores for JSON."""
        names = ("precision", "recall", "f1", "partial_f1", "unseen_recall")
        return {**asdict(self), **{name: getattr(self, name) for name in names}}


def compare(
    data: AspectData,
    predicted: Sequence[Sequence[Any]],
    *,
    typed: bool = False,
    seen: Any = None,
) -> SpanScores:
    """Compare predicted spans with those of sentences; labels count if typed."""
    width = 3 if typed else 2
    return span_scores(
        [[term[:width] for term in terms] for terms in data.spans],
        [[term[:width] for term in terms] for terms in predicted],
        texts=data.texts if seen is not None else (),
        seen=seen or (),
    )


def span_scores(
    gold: Sequence[Sequence[Any]],
    predicted: Sequence[Sequence[Any]],
    *,
    texts: Sequence[str] = (),
    seen: Collection[str] = (),
) -> SpanScores:
    """Compare predicted with gold spans.

    Parameters
    ----------
    gold, predicted : sequence of lists of (start, stop) or (start, stop, label)
        Spans of each text; they overlap no other span of the same list.
    texts : sequence of str, optional
        Texts, for the recall of unseen terms.
    seen : collection of str
        Terms of the training set, in lower case.

    Examples
    --------
    >>> scores = span_scores([[(0, 4), (9, 13)]], [[(0, 4), (8, 13)]])
    >>> scores.f1, round(scores.partial_f1, 3), scores.errors
    (0.5, 0.9, {'boundary': 1})
    """
    n_exact = n_unseen = n_unseen_exact = 0
    partial = 0.0
    errors: Counter[str] = Counter()
    for number, (gold_spans, predicted_spans) in enumerate(
        zip(gold, predicted, strict=True)
    ):
        exact = set(map(_key, gold_spans)) & set(map(_key, predicted_spans))
        n_exact += len(exact)
        partial += _partial(gold_spans, predicted_spans)
        errors.update(kind for kind, _ in span_errors(gold_spans, predicted_spans))
        if texts:
            unseen = [
                x for x in gold_spans if texts[number][x[0] : x[1]].lower() not in seen
            ]
            n_unseen += len(unseen)
            n_unseen_exact += sum(_key(x) in exact for x in unseen)
    return SpanScores(
        n_sentences=len(gold),
        n_gold=sum(map(len, gold)),
        n_predicted=sum(map(len, predicted)),
        n_exact=n_exact,
        partial=partial,
        n_unseen=n_unseen,
        n_unseen_exact=n_unseen_exact,
        errors={kind: errors[kind] for kind in KINDS if errors[kind]},
    )


#: Kinds of errors, in the order of tables.
KINDS = ("boundary", "label", "missed", "invented")


def _key(span: Sequence[Any]) -> tuple[Any, ...]:
    return (span[0], span[1], span[2] if len(span) > 2 else None)


def overlap(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Return the number of characters that two spans have in common."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def _partial(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Return the summed overlaps of pairs of spans with one label, the best first."""
    pairs = [
        (shared / (a[1] - a[0] + b[1] - b[0] - shared), i, j)
        for i, a in enumerate(gold)
        for j, b in enumerate(predicted)
        if (shared := overlap(a, b)) and _key(a)[2] == _key(b)[2]
    ]
    total, used_gold, used_predicted = 0.0, set(), set()
    for share, i, j in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:])):
        if i not in used_gold and j not in used_predicted:
            total += share
            used_gold.add(i)
            used_predicted.add(j)
    return total


def span_errors(gold: Sequence[Any], predicted: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return the kind of each error in a text, and its span.

    The span is a predicted one, except where a gold one is "missed".
    """
    exact = set(map(_key, gold))
    borders = {x[:2] for x in exact}
    errors: list[tuple[str, Any]] = []
    for span in predicted:
        if _key(span) in exact:
            continue
        if _key(span)[:2] in borders:
            errors.append(("label", span))
        else:
            touches = any(overlap(span, other) for other in gold)
            errors.append(("boundary" if touches else "invented", span))
    errors += [
        ("missed", x) for x in gold if not any(overlap(x, other) for other in predicted)
    ]
    return errors
