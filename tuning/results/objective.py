"""Which figure a search makes best, and in which direction."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.errors import SearchError, did_you_mean
from emoclf.evaluation.metric_names import METRICS, OBJECTIVES

DIRECTIONS = {name: METRICS[name].direction for name in OBJECTIVES}


@dataclass(frozen=True)
class Objective:
    """A figure of the evaluation, on texts that a network was not fitted on.

    Parameters
    ----------
    name : {"macro_f1", "accuracy", "micro_f1", "average_precision", "log_loss"}
        ``average_precision`` stands for several labels per text only.

    Raises
    ------
    SearchError
        If there is no such figure.

    Examples
    --------
    >>> Objective("log_loss").direction
    'min'
    """

    name: str = "macro_f1"

    def __post_init__(self) -> None:
        if self.name not in DIRECTIONS:
            raise SearchError(
                f"There is no objective {self.name!r}."
                f"{did_you_mean(self.name, DIRECTIONS)} Known: "
                f"{', '.join(DIRECTIONS)}."
            )

    @property
    def direction(self) -> str:
        """Whether more is better, "max", or less, "min"."""
        return DIRECTIONS[self.name]

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.direction == "max" else -1
