"""Figures side by side, and what they mean in words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from emoclf._moved import RenamedAttribute
from emoclf.evaluation.baselines import TFIDF_SVM
from emoclf.evaluation.metrics import Evaluation
from emoclf.evaluation.paired_comparison import WORDS, Comparison
from emoclf.evaluation.text_tables import confusion_lines, metric_lines, per_class_lines


@dataclass(frozen=True)
class EvaluationReport:
    """What a network and its floors reach on each part.

    Parameters
    ----------
    evaluations : tuple of Evaluation
        Part by part; the network first, then the floors.
    comparisons : tuple of Comparison
        With each floor, on the last part.
    advice : tuple of str
        What to try when the network does not beat a floor.
    """

    evaluations: tuple[Evaluation, ...]
    comparisons: tuple[Comparison, ...]
    advice: tuple[str, ...] = ()

    @property
    def network(self) -> Evaluation:
        """The network's figures on the part that counts: the last one."""
        last = self.evaluations[-1].part
        return next(e for e in self.evaluations if e.part == last)

    beats_floors = RenamedAttribute("beats_baselines")

    @property
    def beats_baselines(self) -> bool:
        """Whether every floor is beaten beyond chance, in every figure."""
        return all(found.beaten for found in self.comparisons)

    def table_lines(self) -> list[str]:
        """Return all figures, one row for each classifier and part."""
        return metric_lines(self.evaluations)

    def per_class_lines(self) -> list[str]:
        """Return the network's figures of each label, on the part that counts."""
        return per_class_lines(self.network)

    def confusion_lines(self) -> list[str]:
        """Return what the network took for what, on the part that counts."""
        return confusion_lines(self.network)

    def verdict(self) -> list[str]:
        """Say in words whether the network beats the floors, and what to try.

        The strong floor first, by macro-F1; of all else only what is not beaten.
        """
        first, *others = sorted(
            self.comparisons,
            key=lambda c: (c.baseline != TFIDF_SVM, c.metric != "macro_f1"),
        )
        lines = [_sentence(first)]
        lines += [_sentence(found) for found in others if not found.beaten]
        if self.network.chose_epoch:
            lines.append(
                "There is no test part: these figures flatter, since the same texts "
                "chose the epoch."
            )
        if not self.beats_baselines:
            lines += [f"Try: {advice}" for advice in self.advice]
        return lines

    def lines(self) -> list[str]:
        """Return the table, the verdict, and the figures of each label."""
        lines = [*self.table_lines(), "", *self.verdict(), "", *self.per_class_lines()]
        confusion = self.confusion_lines()
        return [*lines, "", *confusion] if confusion else lines

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them, and the tables for people."""
        return {
            "evaluations": [found.to_dict() for found in self.evaluations],
            "comparisons": [found.to_dict() for found in self.comparisons],
            "advice": list(self.advice),
            "table": self.table_lines(),
            "verdict": self.verdict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned; other keys are passed over."""
        return cls(
            tuple(map(Evaluation.from_dict, values["evaluations"])),
            tuple(map(Comparison.from_dict, values["comparisons"])),
            tuple(values["advice"]),
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(chr(10).join(self.lines()))}</pre>"


def evaluation_lines(found: Evaluation) -> list[str]:
    """Return one evaluation as text."""
    lines = [*metric_lines([found]), "", *per_class_lines(found)]
    confusion = confusion_lines(found)
    return [*lines, "", *confusion] if confusion else lines


def _sentence(found: Comparison) -> str:
    """Say who is ahead; 'beats' is kept for what chance does not explain."""
    where = f"{found.baseline} on the {found.part} part"
    if found.beaten:
        return f"The network beats {where}: {found.points}."
    if found.difference <= 0:
        said = f"The network does NOT beat {where}: {found.points}."
        if found.high > 0:
            said += " The interval includes 0: they cannot be told apart."
        return said
    return (
        f"The network is ahead of {where}, but not beyond chance: {found.points}. "
        f"Other texts might turn the {WORDS[found.metric]} round."
    )
