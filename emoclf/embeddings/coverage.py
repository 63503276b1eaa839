"""How much of a vocabulary word vectors cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

WORTH_A_WARNING = 0.8


@dataclass(frozen=True)
class CoverageReport:
    """How much of the training part word vectors cover.

    Parameters
    ----------
    source : str
        The vectors.
    dim : int
    types, types_found : int
        Different words, and those with a vector.
    running, running_found : int
        The same, each word as often as it stands in the texts.
    served : dict of str to int
        How many words were found by which way: as they stand, in another case or
        spelling, from parts, from sub-words.
    missing : tuple of (str, int)
        The most frequent words without a vector, and how often they stand there.
    """

    source: str
    dim: int
    types: int
    types_found: int
    running: int
    running_found: int
    served: dict[str, int]
    missing: tuple[tuple[str, int], ...]

    @property
    def share_of_types(self) -> float:
        """Share of different words that have a vector."""
        return self.types_found / max(1, self.types)

    @property
    def share_of_running(self) -> float:
        """Share of running words that have a vector."""
        return self.running_found / max(1, self.running)

    def lines(self) -> list[str]:
        """Return the report as text."""
        ways = ", ".join(
            f"{count} {way}" for way, count in self.served.items() if count
        )
        lines = [
            f"Vectors: {self.source} ({self.dim} dimensions) cover "
            f"{self.share_of_running:.1%} of the running words and "
            f"{self.share_of_types:.1%} of the {self.types} different ones ({ways})."
        ]
        if self.missing:
            shown = ", ".join(f"{word} ({count})" for word, count in self.missing)
            lines.append(f"Most frequent words without a vector: {shown}.")
        if self.share_of_running < WORTH_A_WARNING:
            lines.append(
                "That is little. Vectors of another language, case or tokenizer? "
                "The rest is drawn at random and learnt from your texts alone."
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        return {**vars(self), "missing": [list(pair) for pair in self.missing]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned."""
        missing = tuple((str(word), int(count)) for word, count in values["missing"])
        return cls(**{**values, "missing": missing})
