"""Scores of a network by the number of its training texts: is more data worth it?"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split, hold_out
from emoclf.datasets.split_files import as_split
from emoclf.display import HtmlLines, align
from emoclf.errors import SettingsError, setting
from emoclf.evaluation.evaluate import evaluate_part
from emoclf.evaluation.metric_names import MAIN_METRIC, METRICS
from emoclf.evaluation.text_tables import wrapped
from emoclf.settings import RunSettings
from emoclf.workflow.train import train_classifier

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

LABEL = METRICS[MAIN_METRIC].label


@dataclass(frozen=True, repr=False)
class LearningCurve(HtmlLines):
    """Scores on one dataset after training on more and more texts.

    Parameters
    ----------
    part : str
        Evaluated part of the split: "test", or "valid", which also chose the epochs.
    sizes : tuple of int
        Numbers of training texts.
    scores : tuple of tuple of float
        Macro-F1 for each size and seed.
    """

    part: str
    sizes: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]

    def verdict(self) -> str:
        """Say what the last step of the curve gained."""
        gain = mean(self.scores[-1]) - mean(self.scores[-2])
        spread = max(stdev(x) if len(x) > 1 else 0.0 for x in self.scores[-2:])
        sentence = (
            f"From {self.sizes[-2]:,} to {self.sizes[-1]:,} texts the {LABEL} changed "
            f"by {100 * gain:+.1f} points"
        )
        if len(self.scores[-1]) == 1:
            return f"{sentence}; more seeds would tell how much of it is chance."
        if gain > spread:
            return f"{sentence}, more than seeds differ: more texts are worth it."
        if gain < -spread:
            return f"{sentence}, more than seeds differ: look at the added texts."
        return (
            f"{sentence}, no more than seeds differ ({100 * spread:.1f}): more texts "
            "of the same kind will gain little."
        )

    def lines(self) -> list[str]:
        """Return the table, and what the last step gained."""
        rows = [["texts", LABEL]]
        for size, scores in zip(self.sizes, self.scores, strict=True):
            deviation = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
            rows.append([f"{size:,}", f"{mean(scores):.3f}{deviation}"])
        return [*align(rows, left=0), "", *wrapped(self.verdict())]

    def plot(self, ax: Any = None) -> Any:
        """Plot the curve, and return the ``ax``; needs the extra ``plots``."""
        from emoclf.plots.training_plots import plot_learning_curve

        return plot_learning_curve(self.sizes, self.scores, ax, metric=LABEL)

    def _facts(self) -> dict[str, object]:
        return {"set": self.part, "texts": ", ".join(map(str, self.sizes))}

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each training."""
        import pandas as pd  # Most programs need no frames.

        rows = [
            {"texts": size, "seed": seed, MAIN_METRIC: score}
            for size, scores in zip(self.sizes, self.scores, strict=True)
            for seed, score in enumerate(scores)
        ]
        return pd.DataFrame(rows)


def learning_curve(
    data: Split | Dataset | pd.DataFrame,
    settings: RunSettings | Mapping[str, Any] | None = None,
    *,
    shares: Sequence[float] = (0.125, 0.25, 0.5, 1.0),
    seeds: int = 3,
    vectors: Any = None,
    **flat: Any,
) -> LearningCurve:
    """Train on growing shares of the training set.

    The validation set, which chooses the epochs, and the test set stay the same.

    Parameters
    ----------
    data : Split, Dataset or DataFrame
    settings : RunSettings or mapping, optional
    shares : sequence of float in (0, 1]
        Shares of the training set, two at least; each seed draws its own texts.
    seeds : int >= 1, default=3
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors, as for :func:`emoclf.train_classifier`.
    **flat
        Single settings, such as ``epochs=3``, which override ``settings``.

    Returns
    -------
    curve : LearningCurve

    Raises
    ------
    DataError
        If a share has too few texts.
    SettingsError
    """
    ordered = sorted(set(shares))
    if len(ordered) < 2 or not 0 < ordered[0] <= ordered[-1] <= 1:
        raise SettingsError(
            f"{setting('shares')} must be at least two different numbers above 0, up "
            f"to 1. Got {list(shares)}."
        )
    if seeds < 1:
        raise SettingsError(f"{setting('seeds', seeds)} is too few; the least is 1.")
    settings = RunSettings.of(settings, flat)
    split = as_split(data, settings.data, seed=settings.seed)
    part, texts = ("test", split.test) if split.test else ("valid", split.valid)
    near = settings.data.near_duplicates
    sizes, scores = [], []
    for share in ordered:
        of_share = []
        for seed in range(settings.seed, settings.seed + seeds):
            train = split.train
            if share < 1:
                drawn = hold_out(train, share, seed=seed, near_duplicates=near)[1]
                train = train.take(drawn)
            logger.info("%d texts, seed %d.", len(train), seed)
            trained = train_classifier(
                train,
                split.valid,
                settings.replace(seed=seed),
                vectors=vectors,
                verbose=0,
            )
            if trained.result.ended == "interrupted":
                raise KeyboardInterrupt
            evaluation = evaluate_part(trained.predictor, texts, part=part)
            of_share.append(evaluation.macro_f1)
        sizes.append(round(share * len(split.train)))
        scores.append(tuple(of_share))
    return LearningCurve(part, tuple(sizes), tuple(scores))
