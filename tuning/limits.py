"""What a classifier may cost: weights, bytes on disk, milliseconds for a text."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from emoclf.classifier import Classifier
from emoclf.errors import ExportError, SearchError
from emoclf.export.folded import draft_folded
from emoclf.export.write_export import size_of
from emoclf.predictor import Predictor
from emoclf.serving import load_exported

#: Texts that are answered, one at a time, to see how long one takes.
TIMED = 100


def check_numbers(
    *, whole: Mapping[str, Any], any_number: Mapping[str, Any] | None = None
) -> None:
    """Refuse what is no number where one is needed; None stands for one not given.

    Raises
    ------
    SearchError
    """
    for values, known, called in (
        (whole, int, "a whole number, an int"),
        (any_number or {}, (int, float), "a number, an int or float"),
    ):
        for name, value in values.items():
            wrong = isinstance(value, bool) or not isinstance(value, known)
            if value is not None and wrong:
                raise SearchError(
                    f"{name} must be {called}. Got {value!r} ({type(value).__name__})."
                )


@dataclass(frozen=True)
class Limits:
    """What no trial may exceed; nothing is limited that is left out.

    Parameters
    ----------
    parameters : int > 0, optional
        Weights of the network, embedding included.
    bytes : int > 0, optional
        Of the folded export where the network folds; else of four bytes for each
        weight.
    milliseconds : float > 0, optional
        Median time for one text, by the folded form on NumPy where the network folds;
        else by the predictor.

    Raises
    ------
    SearchError
        If a limit is not positive.
    """

    parameters: int | None = None
    bytes: int | None = None
    milliseconds: float | None = None

    def __post_init__(self) -> None:
        check_numbers(
            whole={"parameters": self.parameters, "bytes": self.bytes},
            any_number={"milliseconds": self.milliseconds},
        )
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise SearchError(
                    f"The limit of {field.name} must be above 0. Got {value!r}."
                )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        return asdict(self)

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self.parameters is not None or self.need_measuring

    @property
    def need_measuring(self) -> bool:
        """Whether a network has to be written and run before it is known to fit."""
        return self.bytes is not None or self.milliseconds is not None


@dataclass(frozen=True)
class Cost:
    """What one classifier costs; None where nobody asked."""

    parameters: int
    bytes: int | None = None
    milliseconds: float | None = None

    def excess(self, limits: Limits) -> str | None:
        """Say which limit is exceeded, and by how much; None if none is."""
        for field, form in (
            ("parameters", "{:,.0f} weights"),
            ("bytes", "{:,.0f} bytes"),
            ("milliseconds", "{:.3g} ms for a text"),
        ):
            value, limit = getattr(self, field), getattr(limits, field)
            if value is not None and limit is not None and value > limit:
                return f"{form.format(value)}; the limit is {form.format(limit)}"
        return None


def measure(predictor: Predictor, limits: Limits, texts: Sequence[str]) -> Cost:
    """Measure what is limited; a network costs the same before it is trained.

    Parameters
    ----------
    predictor : Predictor
    limits : Limits
    texts : sequence of str
        Some of them are answered, one at a time.
    """
    parameters = predictor.bundle.model.count_params()
    if not limits.need_measuring:
        return Cost(parameters)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "folded"
        try:
            draft_folded(predictor, place)
        except ExportError:
            return Cost(parameters, 4 * parameters, _time(predictor, texts))
        return Cost(parameters, size_of(place), _time(load_exported(place), texts))


def _time(classifier: Classifier, texts: Sequence[str]) -> float:
    """Return the median of milliseconds for one text, when everything is warm."""
    some = list(texts)[:TIMED]
    for text in some:
        # Rows of words are made when a text first has them, graphs for each length.
        classifier.predict_proba([text])
    times = []
    for text in some:
        began = time.perf_counter()
        classifier.predict_proba([text])
        times.append(time.perf_counter() - began)
    return 1e3 * median(times)
