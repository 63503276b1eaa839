"""Comparison of several networks: the results of each run, and the table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from emoclf.datasets.split import PART_NAMES
from emoclf.display import HtmlLines, align
from emoclf.evaluation.text_tables import wrapped

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunMetrics:
    """Results of one network and seed, or of one baseline.

    Parameters
    ----------
    name : str
        Row of the table.
    seed : int or None
        Seed; None for a baseline.
    accuracy, macro_f1 : float or None
        Metrics on the evaluated texts; None if the training failed.
    valid_macro_f1 : float or None
        Macro-F1 on the validation set, which ranks the rows; None in files of 0.4 and
        before.
    parameters : int or None
        Number of parameters, embedding included; None for a baseline.
    epochs : int or None
    seconds_per_epoch : float or None
        Median wall time, validation included; None for a baseline.
    seconds : float
        Duration of the whole training.
    texts_per_second : float or None
        Speed from raw texts to labels.
    findings : tuple of str
        Names of the doctor's findings; "failed" for a training without a result.
    """

    name: str
    seed: int | None
    accuracy: float | None = None
    macro_f1: float | None = None
    parameters: int | None = None
    epochs: int | None = None
    seconds_per_epoch: float | None = None
    seconds: float = 0.0
    texts_per_second: float | None = None
    findings: tuple[str, ...] = ()
    valid_macro_f1: float | None = None


@dataclass(frozen=True, repr=False)
class NetworkComparison(HtmlLines):
    """Results of several networks on one split, the baselines first.

    Parameters
    ----------
    part : str
        Evaluated part of the split: "test", or "valid", which also chose the epochs.
    n_texts : int
        Number of evaluated texts.
    runs : tuple of RunMetrics
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

    def ranked(self) -> list[str]:
        """Return the rows, the best on the validation set first.

        A network that is chosen by its test scores would have flattering ones. Without
        validation scores the rows keep their order.
        """
        return sorted(self.names(), key=self._valid, reverse=True)

    def _valid(self, name: str) -> float:
        """Return the mean validation macro-F1 of a row."""
        runs = [run.valid_macro_f1 for run in self.of(name)]
        return mean([x for x in runs if x is not None] or [-math.inf])

    def lines(self) -> list[str]:
        """Return the tables of scores and costs: mean and deviation over seeds."""
        tested = self.part == "test"
        scores = [
            ["", "", "validation", *(["test", "test"] if tested else [])],
            ["", "seeds", "macro-F1", *(["macro-F1", "accuracy"] if tested else [])],
        ]
        costs = [["", "parameters", "epochs", "s/epoch", "texts/s"]]
        findings = []
        for name in self.ranked():
            runs = self.of(name)
            valid = [run.valid_macro_f1 for run in runs]
            row = [name, str(len(runs)) if runs[0].seed is not None else "–"]
            if tested:
                row.append(_mean_and_deviation(valid))
            row.append(_mean_and_deviation([run.macro_f1 for run in runs]))
            row.append(_mean_and_deviation([run.accuracy for run in runs]))
            scores.append(row)
            costs.append(
                [
                    name,
                    _mean([runs[0].parameters], ",d"),
                    _mean([run.epochs for run in runs], ".1f"),
                    _mean([run.seconds_per_epoch for run in runs], ".2f"),
                    _mean([run.texts_per_second for run in runs], ",.0f"),
                ]
            )
            counts = Counter(finding for run in runs for finding in run.findings)
            shown = [f"{finding} ({n} of {len(runs)})" for finding, n in counts.items()]
            if shown:
                findings += wrapped(f"{name}: {', '.join(shown)}")
        if not tested:
            scores[:2] = [["", "seeds", "macro-F1", "accuracy"]]
        note = f"On {self.n_texts} {self.part_name} texts"
        if tested:
            note += ", ranked by the validation set"
        else:
            note += ", which also chose the epochs (scores are too optimistic)"
        note += "; mean ± standard deviation over seeds."
        lines = [*wrapped(note), "", *align(scores), "", *align(costs)]
        return [*lines, "", *findings] if findings else lines

    @property
    def part_name(self) -> str:
        """Name of the evaluated part in reports."""
        return PART_NAMES[self.part]

    def plot_accuracy_against_time(self, ax: Any = None) -> Any:
        """Plot the accuracy of each network against its training time."""
        from emoclf.plots.network_plots import plot_accuracy_against_time

        return plot_accuracy_against_time(self, ax)

    def _facts(self) -> dict[str, object]:
        names = ", ".join(self.names())
        return {"set": self.part, "texts": self.n_texts, "classifiers": names}

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each run."""
        import pandas as pd  # Most programs need no frames.

        return pd.DataFrame(map(asdict, self.runs))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "part": self.part,
            "n_texts": self.n_texts,
            "runs": [asdict(run) for run in self.runs],
            "table": self.lines(),
        }


def _mean_and_deviation(values: Sequence[float | None]) -> str:
    """Return "0.650 ± 0.071"; without a deviation for one value, a dash for none."""
    numbers = [value for value in values if value is not None]
    deviation = f" ± {stdev(numbers):.3f}" if len(numbers) > 1 else ""
    return _mean(numbers, ".3f") + deviation


def _mean(values: Sequence[float | None], number_format: str) -> str:
    numbers = [value for value in values if value is not None]
    return format(mean(numbers), number_format) if numbers else "–"
