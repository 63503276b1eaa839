"""Coverage of a vocabulary by word vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from emoclf.display import HtmlLines
from emoclf.embeddings.spellings import MATCH_LABELS

#: Share of token occurrences with a vector, below which there is a warning.
MIN_COVERAGE = 0.8


@dataclass(frozen=True, repr=False)
class CoverageReport(HtmlLines):
    """Coverage of the training set by word vectors.

    Parameters
    ----------
    source : str
        Name of the vectors.
    dim : int
        Width of a vector.
    types, types_found : int
        Number of distinct tokens, and of those with a vector.
    running, running_found : int
        The same, with every occurrence of a token counted.
    served : dict of str to int
        Number of distinct tokens per kind of match; see
        :data:`~emoclf.embeddings.spellings.MATCH_LABELS`.
    missing : tuple of (str, int)
        The most frequent tokens without a vector, and their counts.
    sets : tuple of CoverageReport
        Report of each set, where there are several; a token that any of them contains
        is covered.
    """

    source: str
    dim: int
    types: int
    types_found: int
    running: int
    running_found: int
    served: dict[str, int]
    missing: tuple[tuple[str, int], ...]
    sets: tuple[CoverageReport, ...] = ()

    @property
    def share_of_types(self) -> float:
        """Share of distinct tokens that have a vector."""
        return self.types_found / max(1, self.types)

    @property
    def share_of_running(self) -> float:
        """Share of token occurrences that have a vector."""
        return self.running_found / max(1, self.running)

    def _facts(self) -> dict[str, object]:
        tokens, types = f"{self.share_of_running:.1%}", f"{self.share_of_types:.1%}"
        return {"source": self.source, "tokens": tokens, "distinct tokens": types}

    def lines(self) -> list[str]:
        """Return the report as text."""
        matches = ", ".join(
            f"{count} {MATCH_LABELS.get(kind, kind)}"
            for kind, count in self.served.items()
            if count
        )
        lines = [
            f"Vectors: {self.source} ({self.dim} dimensions) cover "
            f"{self.share_of_running:.1%} of all tokens and {self.share_of_types:.1%} "
            f"of the {self.types} distinct ones ({matches})."
        ]
        for part in self.sets:
            lines.append(
                f"  {part.source} ({part.dim} dimensions): {part.share_of_running:.1%} "
                f"of all tokens, {part.share_of_types:.1%} of the distinct ones."
            )
        if self.missing:
            shown = ", ".join(f"{token} ({count})" for token, count in self.missing)
            lines.append(f"Most frequent tokens without a vector: {shown}.")
        if self.share_of_running < MIN_COVERAGE:
            lines.append(
                "This coverage is low: are the vectors of another language, case or "
                "tokenizer? The other tokens get random vectors, which are learnt from "
                "your texts alone."
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = {**vars(self), "missing": [list(pair) for pair in self.missing]}
        # Left out where it is empty, so that older versions read the others.
        del values["sets"]
        if self.sets:
            values["sets"] = [report.to_dict() for report in self.sets]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned."""
        missing = tuple((str(token), int(count)) for token, count in values["missing"])
        sets = tuple(map(cls.from_dict, values.get("sets", ())))
        return cls(**{**values, "missing": missing, "sets": sets})
