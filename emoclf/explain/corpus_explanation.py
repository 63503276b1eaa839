"""The global view: phrases that drive each class, and what each filter looks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from emoclf.display import HtmlLines, align, short_names
from emoclf.errors import setting
from emoclf.explain.explanation import check_label
from emoclf.explain.explanation_lines import shorten, wrapped

#: Phrases of a label and filters that ``lines`` shows.
N_SHOWN, N_FILTERS_SHOWN = 5, 10
MAX_PHRASE, MAX_LABEL = 34, 18


class PhraseEffect(NamedTuple):
    """A phrase and its share in the logit of one class over a corpus.

    Parameters
    ----------
    phrase : str
        Normal forms of its tokens, with spaces between them.
    texts : int
        Number of texts in which it has a share.
    total : float
        Sum of its shares; the mean share is ``total / texts``.
    """

    phrase: str
    texts: int
    total: float

    @property
    def mean(self) -> float:
        """Mean share in the texts that it has a share in."""
        return self.total / self.texts


class FilterView(NamedTuple):
    """What one filter of a TextCNN looks for.

    Parameters
    ----------
    size : int
        Width of its kernel, in tokens.
    number : int
        Its number among the filters of this width, from 0.
    weights : tuple of float
        Weight of its activation in the logit of each class.
    activation : float
        Mean activation over the texts.
    ngrams : tuple of (str, float)
        N-grams with its largest activations, each once.
    """

    size: int
    number: int
    weights: tuple[float, ...]
    activation: float
    ngrams: tuple[tuple[str, float], ...]

    @property
    def effect(self) -> float:
        """Mean activation times the spread of its weights over the classes."""
        return abs(self.activation) * (max(self.weights) - min(self.weights))


@dataclass(frozen=True, eq=False, repr=False)
class CorpusExplanation(HtmlLines):
    """Phrases that drive each class of a classifier over a corpus.

    Parameters
    ----------
    n_texts : int
    label_names : tuple of str
    phrases_for, phrases_against : dict of str to tuple of PhraseEffect
        For each label the phrases with the largest and the smallest total share.
    filters : tuple of FilterView
        Filters of a TextCNN with max pooling, those with the largest effect first;
        empty for other networks.
    method : {"exact", "integrated-gradients", "occlusion"}
    description : str
        What the numbers of a text are.
    """

    n_texts: int
    label_names: tuple[str, ...]
    phrases_for: dict[str, tuple[PhraseEffect, ...]]
    phrases_against: dict[str, tuple[PhraseEffect, ...]]
    filters: tuple[FilterView, ...]
    method: str
    description: str

    def _facts(self) -> dict[str, object]:
        return {"texts": self.n_texts, "labels": short_names(self.label_names)}

    def lines(self, *, label: str | None = None) -> list[str]:
        """Return the largest phrases and filters as tables of at most 80 columns.

        Parameters
        ----------
        label : str, optional
            Label whose phrases are shown; default: all.

        Raises
        ------
        DataError
            If the classifier has no such label.
        """
        if label is not None:
            check_label(label, self.label_names)
        lines = [f"Phrases that drive each label over {self.n_texts:,} texts"]
        for name in self.label_names if label is None else (label,):
            rows = [
                [f"{sign} {shorten(name, MAX_LABEL)}", "texts", "mean", "total"]
                if effect is None
                else [
                    f"  {shorten(effect.phrase, MAX_PHRASE)}",
                    f"{effect.texts:,}",
                    f"{effect.mean:+.3f}",
                    f"{effect.total:+.2f}",
                ]
                for sign, effects in (
                    ("for", self.phrases_for[name]),
                    ("against", self.phrases_against[name]),
                )
                for effect in (None, *effects[:N_SHOWN])
            ]
            lines += ["", *align(rows)]
        if not any(self._effects()):
            advice = f"no phrase is in enough texts; lower {setting('min_count')}"
            lines = [f"{lines[0]}: {advice}"]
        if self.filters:
            lines += ["", *self._filter_lines()]
        return [*lines, "", *wrapped(self.description, 80)]

    def _filter_lines(self) -> list[str]:
        shown = self.filters[:N_FILTERS_SHOWN]
        lines = [
            f"Filters with the largest effect ({len(shown)} of {len(self.filters)})"
        ]
        for view in shown:
            order = np.argsort(view.weights)
            most, least = int(order[-1]), int(order[0])
            lines.append(
                f"width {view.size}, filter {view.number}: "
                f"{shorten(self.label_names[most], MAX_LABEL)} "
                f"{view.weights[most]:+.2f}, "
                f"{shorten(self.label_names[least], MAX_LABEL)} "
                f"{view.weights[least]:+.2f}"
            )
            ngrams = (shorten(ngram, MAX_PHRASE) for ngram, _ in view.ngrams[:N_SHOWN])
            lines += wrapped(f"  {'; '.join(ngrams)}", 80)
        return lines

    def to_frame(self) -> Any:
        """Return the phrases as a DataFrame: label, phrase, texts, mean, total."""
        import pandas as pd

        rows = [
            (label, effect.phrase, effect.texts, effect.mean, effect.total)
            for label, effect in self._effects()
        ]
        return pd.DataFrame(rows, columns=["label", "phrase", "texts", "mean", "total"])

    def _effects(self) -> Iterator[tuple[str, PhraseEffect]]:
        for label in self.label_names:
            for effects in (self.phrases_for, self.phrases_against):
                for effect in effects[label]:
                    yield label, effect

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, for JSON."""

        def rows(effects: tuple[PhraseEffect, ...]) -> list[dict[str, Any]]:
            return [{**effect._asdict(), "mean": effect.mean} for effect in effects]

        return {
            "texts": self.n_texts,
            "method": self.method,
            "description": self.description,
            "labels": {
                name: {
                    "for": rows(self.phrases_for[name]),
                    "against": rows(self.phrases_against[name]),
                }
                for name in self.label_names
            },
            "filters": [
                {
                    **view._asdict(),
                    "weights": dict(zip(self.label_names, view.weights, strict=True)),
                    "ngrams": [
                        {"ngram": ngram, "activation": value}
                        for ngram, value in view.ngrams
                    ],
                }
                for view in self.filters
            ],
        }
