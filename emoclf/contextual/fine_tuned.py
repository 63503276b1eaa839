"""What we know of a fine-tuned encoder beside its weights: ``fine_tuning.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from emoclf.bundle.described_folder import FINE_TUNED
from emoclf.bundle.json_values import JsonObject
from emoclf.errors import BundleError


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """How a fine-tuned encoder answers, and how it was made.

    Parameters
    ----------
    base : str
        Name of the encoder that was fine-tuned; "" if unknown.
    max_tokens : int
        Tokens of a text that are read.
    temperature : float
        Number by which the logits are divided.
    thresholds : tuple of float, or None
        Lowest probability of each label; None for one label for each text.
    text_column : str or None
        Column of the training texts.
    settings : dict
        Sections ``data`` and ``fine_tuning``, and the ``seed``.
    metrics : dict
        Metrics of the held-out texts, of each epoch and of the evaluation.
    versions : dict of str to str
        Versions of the packages on which the numbers depend.
    created : str
        Time of its making.
    """

    base: str = ""
    max_tokens: int
    temperature: float = 1.0
    thresholds: tuple[float, ...] | None = None
    text_column: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"format": FINE_TUNED.format, **asdict(self)}

    @classmethod
    def read(cls, folder: Path, n_classes: int) -> Self:
        """Read and check the description in a folder.

        Parameters
        ----------
        folder : Path
        n_classes : int
            Number of labels of the model.

        Raises
        ------
        BundleError
            If it is damaged, newer than this emoclf, or another file of the folder
            was changed.
        """
        values = JsonObject(FINE_TUNED.read_about(folder))
        FINE_TUNED.check_sums(folder)
        try:
            thresholds = values.thresholds("thresholds", n_classes)
            column = values.get("text_column")
            return cls(
                base=values.text("base"),
                max_tokens=values.whole("max_tokens", 1, 1 << 20),
                temperature=values.number("temperature", 1e-3, 1e3),
                thresholds=None if thresholds is None else tuple(thresholds),
                text_column=None if column is None else values.text("text_column"),
                settings=values.object("settings").values,
                metrics=values.object("metrics").values,
                versions=values.object("versions").values,
                created=values.text("created"),
            )
        except ValueError as error:
            reason = FINE_TUNED.damaged(folder / FINE_TUNED.about, error)
            raise BundleError(str(reason)) from error
