"""What several networks reached: one row for each, and the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import Any

from emoclf.evaluation.text_tables import align


@dataclass(frozen=True)
class RunMetrics:
    """What one network of one seed reached.

    Parameters
    ----------
    name : str
        The network's row.
    seed : int or None
        None for a floor.
    accuracy, macro_f1 : float or None
        On the part that is judged; None where the training failed.
    parameters : int or None
        Numbers that were learnt or given, embedding included; None for a floor.
    epochs : int or None
    seconds_per_epoch : float or None
        Median, wall time, with the validation; None for a floor.
    seconds : float
        Of the whole training, or of fitting a floor.
    texts_per_second : float or None
        From raw texts to labels.
    findings : tuple of str
        Names of what the doctor found; "failed" for a training without a result.
    """

    name: str
    seed: int | None
    accuracy: float | None
    macro_f1: float | None
    parameters: int | None
    epochs: int | None
    seconds_per_epoch: float | None
    seconds: float
    texts_per_second: float | None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkComparison:
    """What several networks reached on one split, the floors first.

    Parameters
    ----------
    part : str
        The part that was judged: "test", or "valid", which also chose the epochs.
    n_texts : int
        In that part.
    runs : tuple of RunFigures
    """

    part: str
    n_texts: int
    runs: tuple[RunMetrics, ...]

    def names(self) -> list[str]:
        """Return the rows in their order."""
        return list(dict.fromkeys(run.name for run in self.runs))

    def of(self, name: str) -> list[RunMetrics]:
        """Return the runs of one row."""
        return [run for run in self.runs if run.name == name]

    def lines(self) -> list[str]:
        """Return the table: mean and standard deviation over seeds."""
        rows = [
            ["", "seeds", "accuracy", "macro-F1", "parameters", "epochs", "s/epoch",
             "texts/s"]
        ]  # fmt: skip
        for name in self.names():
            runs = self.of(name)
            first = runs[0]
            network = first.seed is not None
            rows.append(
                [
                    name,
                    str(len(runs)) if network else "–",
                    _spread([run.accuracy for run in runs]),
                    _spread([run.macro_f1 for run in runs]),
                    f"{first.parameters:,}" if first.parameters is not None else "–",
                    _mean([run.epochs for run in runs], ".1f"),
                    _mean([run.seconds_per_epoch for run in runs], ".2f"),
                    _mean([run.texts_per_second for run in runs], ",.0f"),
                ]
            )
        where = f"{self.n_texts} texts of the {self.part} part"
        if self.part == "valid":
            where += ", which also chose the epochs: these figures flatter"
        lines = [f"On {where}; mean ± standard deviation over seeds.", "", *align(rows)]
        found = self._finding_lines()
        return [*lines, "", *found] if found else lines

    def _finding_lines(self) -> list[str]:
        lines = []
        for name in self.names():
            runs = self.of(name)
            counts = Counter(one for run in runs for one in run.findings)
            if counts:
                said = ", ".join(
                    f"{one} ({count} of {len(runs)})" for one, count in counts.items()
                )
                lines.append(f"{name}: {said}")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        return {
            "part": self.part,
            "n_texts": self.n_texts,
            "runs": [asdict(run) for run in self.runs],
            "table": self.lines(),
        }


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return _mean(known, ".3f")
    return f"{mean(known):.3f} ± {stdev(known):.3f}"


def _mean(values: Sequence[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    return format(mean(known), form) if known else "–"
