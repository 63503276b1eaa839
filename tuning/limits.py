"""Limits on the cost of a classifier: parameters, bytes on disk, time for a text."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from emoclf.classifier import Classifier
from emoclf.errors import ExportError, SearchError
from emoclf.export.folded import draft_folded
from emoclf.files import size_of
from emoclf.predictor import Predictor
from emoclf.serving import load_exported

#: Texts that are predicted one at a time to measure the time for one.
TIMED_TEXTS = 100
#: Largest number that is taken: whole numbers up to it are exact as floats.
MAX_NUMBER = 1 << 53


def check_number(
    name: str,
    value: Any,
    *,
    whole: bool = False,
    low: float | None = None,
    above: float | None = None,
) -> None:
    """Raise SearchError for a value that is neither None nor a number in its range.

    Parameters
    ----------
    name : str
        Name of the number in the error message.
    value : object
    whole : bool, default=False
        Whether it must be an int; else a float is allowed as well.
    low, above : float, optional
        Inclusive or exclusive lower bound.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number, an int" if whole else "a number, an int or float"
        got = f"{value!r} ({type(value).__name__})"
        raise SearchError(f"{name} must be {kind}. Got {got}.")
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise SearchError(f"{name} must be at most {MAX_NUMBER:g}. Got {value!r:.40}.")
    if low is not None and not value >= low:
        raise SearchError(f"{name} must be at least {low:g}. Got {value!r}.")
    if above is not None and not value > above:
        raise SearchError(f"{name} must be above {above:g}. Got {value!r}.")


def check_token(token: str, source: str) -> None:
    """Raise SearchError for a secret that a call cannot carry."""
    if not token or not token.isascii() or not token.isprintable():
        raise SearchError(
            f"{source} must contain a secret: one line of ASCII characters, for "
            "instance from: openssl rand -hex 32"
        )


@dataclass(frozen=True)
class Limits:
    """Limits that no trial may exceed; None does not limit.

    Parameters
    ----------
    parameters : int > 0, optional
        Number of weights of the network, embedding included.
    bytes : int > 0, optional
        Size of the folded export if the network can be folded, else of four bytes for
        each weight.
    milliseconds : float > 0, optional
        Median time for one text, with the folded export on NumPy if the network can be
        folded, else with the predictor.

    Raises
    ------
    SearchError
        If a limit is not positive.
    """

    parameters: int | None = None
    bytes: int | None = None
    milliseconds: float | None = None

    def __post_init__(self) -> None:
        for name, limit in self.to_dict().items():
            whole = name != "milliseconds"
            check_number(f"The limit of {name}", limit, whole=whole, above=0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self.parameters is not None or self.need_measuring

    @property
    def need_measuring(self) -> bool:
        """Whether a network must be exported and run to check the limits."""
        return self.bytes is not None or self.milliseconds is not None


@dataclass(frozen=True)
class Cost:
    """Cost of one classifier; None where it was not measured."""

    parameters: int
    bytes: int | None = None
    milliseconds: float | None = None

    def excess(self, limits: Limits) -> str | None:
        """Return which limit is exceeded, and by how much; None if none is."""
        for field, template in (
            ("parameters", "{:,.0f} weights"),
            ("bytes", "{:,.0f} bytes"),
            ("milliseconds", "{:.3g} ms for a text"),
        ):
            value, limit = getattr(self, field), getattr(limits, field)
            if value is not None and limit is not None and value > limit:
                return (
                    f"{template.format(value)}; the limit is {template.format(limit)}"
                )
        return None


def measure(predictor: Predictor, limits: Limits, texts: Sequence[str]) -> Cost:
    """Measure the costs that are limited; they do not depend on training.

    Parameters
    ----------
    predictor : Predictor
    limits : Limits
    texts : sequence of str
        Texts, of which some are predicted one at a time.
    """
    parameters = predictor.bundle.model.count_params()
    if not limits.need_measuring:
        return Cost(parameters)
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "folded"
        try:
            draft_folded(predictor, export)
        except ExportError:
            return Cost(parameters, 4 * parameters, _median_ms(predictor, texts))
        return Cost(
            parameters, size_of(export), _median_ms(load_exported(export), texts)
        )


def _median_ms(classifier: Classifier, texts: Sequence[str]) -> float:
    """Return the median time for one text in milliseconds, after a warm-up."""
    times: list[float] = []
    # The first round fills caches of token rows and of graphs for each length.
    for _ in range(2):
        times.clear()
        for text in texts[:TIMED_TEXTS]:
            began = time.perf_counter()
            classifier.predict_proba([text])
            times.append(time.perf_counter() - began)
    return 1e3 * median(times)
