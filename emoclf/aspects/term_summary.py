"""Summary over many reviews: the most frequent terms and their polarities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emoclf.display import HtmlLines, align, count_of, printable, shorten_text

if TYPE_CHECKING:
    import pandas as pd

#: Number of terms in the printed table.
SHOWN_TERMS = 20


@dataclass(repr=False)
class TermSummary(HtmlLines):
    """Counts of terms and their polarities, text by text.

    The memory grows with the number of different terms, not with that of texts. Terms
    that differ in case only are counted together, under their most frequent form.

    Attributes
    ----------
    n_texts : int
        Number of texts.
    """

    n_texts: int = 0
    _forms: dict[str, Counter[str]] = field(default_factory=dict)
    _polarities: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, found: Iterable[Sequence[Any]]) -> None:
        """Count the terms of one text.

        Parameters
        ----------
        found : iterable of objects with ``term`` and, if it is known, ``polarity``
        """
        self.n_texts += 1
        for item in found:
            words = getattr(item, "term", "")
            key = " ".join(words.lower().split())
            self._forms.setdefault(key, Counter())[words] += 1
            polarity = getattr(item, "polarity", None) or getattr(item, "label", None)
            self._polarities.setdefault(key, Counter())[polarity or ""] += 1

    def rows(self) -> list[dict[str, Any]]:
        """Return term, count and share of each polarity, the most frequent first."""
        rows = []
        names = self.polarities()
        for key, forms in self._forms.items():
            count = forms.total()
            polarities = self._polarities[key]
            shares = {name: polarities[name] / count for name in names}
            form = max(forms, key=lambda words: (forms[words], words))
            rows.append({"term": form, "count": count, **shares})
        return sorted(rows, key=lambda row: (-row["count"], row["term"]))

    def polarities(self) -> list[str]:
        """Return the polarities that occur, in alphabetical order."""
        return sorted({name for x in self._polarities.values() for name in x if name})

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each term."""
        import pandas as pd  # Most programs need no frames.

        return pd.DataFrame(self.rows(), columns=["term", "count", *self.polarities()])

    def plot(self, ax: Any = None, *, shown: int = SHOWN_TERMS) -> Any:
        """Plot the share of each polarity for the most frequent terms.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw into; default: those of a new figure.
        shown : int, default=20
            Largest number of terms.

        Returns
        -------
        ax : matplotlib Axes

        Raises
        ------
        DataError
            If there are no terms.
        MissingDependency
            Without the extra ``plots``.
        """
        from emoclf.plots.term_plots import plot_term_summary

        rows = self.rows()[:shown]
        return plot_term_summary(
            [shorten_text(printable(row["term"])) for row in rows],
            [row["count"] for row in rows],
            {name: [row[name] for row in rows] for name in self.polarities()},
            ax,
        )

    def _facts(self) -> dict[str, object]:
        return {"texts": f"{self.n_texts:,}", "terms": f"{len(self._forms):,}"}

    def lines(self, shown: int = SHOWN_TERMS) -> list[str]:
        """Return the most frequent terms as a table."""
        names = self.polarities()
        table = [["term", "count", *names]]
        rows = self.rows()
        for row in rows[:shown]:
            shares = [f"{row[name]:.0%}" for name in names]
            table.append([row["term"], f"{row['count']:,}", *shares])
        head = f"{count_of('term', len(rows))} in {count_of('text', self.n_texts)}"
        if len(rows) > shown:
            head += f"; the {shown} most frequent"
        return [head, *align(table)] if rows else [head]
