"""Metrics of a network beside those of baselines, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from emoclf.datasets.split import PART_NAMES
from emoclf.display import HtmlLines
from emoclf.evaluation.evaluation_plots import EvaluationPlots
from emoclf.evaluation.metric_names import MAIN_METRIC, METRICS
from emoclf.evaluation.metrics import Evaluation
from emoclf.evaluation.paired_comparison import Comparison
from emoclf.evaluation.text_tables import (
    confusion_lines,
    detail_lines,
    metric_lines,
    per_class_lines,
    wrapped,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class EvaluationReport(EvaluationPlots, HtmlLines):
    """Results of a network and its baselines on each dataset.

    Parameters
    ----------
    evaluations : tuple of Evaluation
        Evaluations, dataset by dataset; the network first, then the baselines.
    comparisons : tuple of Comparison
        Comparisons with each baseline on the last dataset.
    advice : tuple of str
        Proposals for a network that does not beat a baseline.
    against : bool, default=False
        Whether the network is compared with another classifier, not with baselines.
    remarks : tuple of str
        Sentences on what limits the result.
    """

    evaluations: tuple[Evaluation, ...]
    comparisons: tuple[Comparison, ...]
    advice: tuple[str, ...] = ()
    against: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def network(self) -> Evaluation:
        """The network's evaluation on the dataset that counts: the last one."""
        last = self.evaluations[-1].part
        return next(e for e in self.evaluations if e.part == last)

    def _evaluation(self) -> Evaluation:
        return self.network

    @property
    def beats_baselines(self) -> bool | None:
        """Whether every baseline is beaten beyond chance, by every metric.

        None without baselines.
        """
        beaten = [comparison.beaten for comparison in self.comparisons]
        return all(beaten) if beaten and not self.against else None

    def _facts(self) -> dict[str, object]:
        network, beaten = self.network, self.beats_baselines
        return {
            "classifier": network.name,
            "set": network.part,
            "texts": network.n,
            "accuracy": f"{network.accuracy:.3f}",
            "macro-F1": f"{network.macro_f1:.3f}",
            **({} if beaten is None else {"beats the baselines": beaten}),
        }

    def table_lines(self) -> list[str]:
        """Return all metrics, one row for each classifier and dataset."""
        return metric_lines(self.evaluations)

    def per_class_lines(self) -> list[str]:
        """Return the network's metrics of each label, on the dataset that counts."""
        return per_class_lines(self.network)

    def confusion_lines(self) -> list[str]:
        """Return the network's confusion matrix, on the dataset that counts."""
        return confusion_lines(self.network)

    @property
    def decisive(self) -> Comparison | None:
        """Comparison with the best baseline by the main metric; None if there is none.

        The best baseline is the one from which the network differs least.
        """
        main = [c for c in self.comparisons if c.metric == MAIN_METRIC]
        return min(main, key=lambda c: (c.difference, c.baseline), default=None)

    def verdict(self) -> list[str]:
        """Return sentences: whether the network is better than the best baseline.

        Where it is not, proposals follow.
        """
        decisive = self.decisive
        if decisive is None:
            sentence = "Evaluated without baselines, since there is no training set."
            return [sentence, *self.remarks]
        relation = decisive.relation
        if self.against:
            return [
                f"{self.network.name} {relation} {decisive.baseline} on the same "
                f"{self.network.n:,} texts: {decisive.points}.",
                *self.remarks,
            ]
        name = PART_NAMES.get(decisive.part)
        part = f"the {name} set" if name else f"these {self.network.n:,} texts"
        lines = [
            f"On {part} the network {relation} the best baseline, "
            f"{decisive.baseline}: {decisive.points}.",
            *self.remarks,
        ]
        if self.network.chose_epoch:
            lines.append(
                "There is no test set: these scores are too optimistic, since the same "
                "texts chose the epoch."
            )
        if not decisive.beaten:
            lines += [f"Try: {advice}" for advice in self.advice]
        return lines

    def lines(self) -> list[str]:
        """Return the table, the verdict, and the metrics of each label."""
        details = detail_lines(self.network)
        sentences = [line for one in self.verdict() for line in wrapped(one)]
        return [*self.table_lines(), "", *sentences, "", *details]

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each classifier and dataset."""
        import pandas as pd  # Most programs need no frames.

        rows = []
        for evaluation in self.evaluations:
            row: dict[str, Any] = {
                "classifier": evaluation.name,
                "set": evaluation.part,
            }
            row |= {
                name: getattr(evaluation, name)
                for name in ("chose_epoch", "n", *METRICS)
                if getattr(evaluation, name, None) is not None
            }
            for name, (low, high) in evaluation.intervals.items():
                row |= {f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, and the tables for people."""
        return {
            "evaluations": [evaluation.to_dict() for evaluation in self.evaluations],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "advice": list(self.advice),
            "table": self.table_lines(),
            "verdict": self.verdict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned; other keys are ignored."""
        return cls(
            tuple(map(Evaluation.from_dict, values["evaluations"])),
            tuple(map(Comparison.from_dict, values["comparisons"])),
            tuple(values["advice"]),
        )
