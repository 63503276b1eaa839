"""What a doctor would say of a training: name, evidence, causes, cure."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from emoclf.errors import setting

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or probably wrong, with a model or its training.

    Parameters
    ----------
    name : str
        Short and fixed, for programs: "class-collapse", "dead-units", …
    severity : {"error", "warning", "note"}
        An error makes the network useless; a warning makes it worse than it could be;
        a note is worth knowing.
    message : str
        What was seen, with its numbers, in one sentence.
    evidence : dict of str to float or str
        The numbers of the message.
    causes : tuple of str
        The likeliest first.
    cures : tuple of str
        What to change, in the order in which to try it.
    epoch : int or None
        The epoch (from 1) in which it was first seen; None before the training or of
        the network that came out.
    """

    name: str
    severity: str
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    cures: tuple[str, ...] = ()
    epoch: int | None = None

    def lines(self) -> list[str]:
        """Return the finding as text, one thing a line."""
        when = f" (epoch {self.epoch})" if self.epoch else ""
        lines = [f"{self.severity}: {self.name}{when}: {self.message}"]
        if self.causes:
            lines.append(f"  likely causes: {'; '.join(self.causes)}.")
        if self.cures:
            lines.append(f"  change: {'; '.join(map(_worded, self.cures))}.")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        return {**asdict(self), "causes": [*self.causes], "cures": [*self.cures]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned."""
        changed = {name: tuple(values[name]) for name in ("causes", "cures")}
        return cls(**{**values, **changed})


def fitting_cures(
    cures: tuple[str, ...], in_force: Mapping[str, Any]
) -> tuple[str, ...]:
    """Leave out settings that a run does not have, or has already.

    Parameters
    ----------
    cures : tuple of str
        Of the form ``name=value``, or words.
    in_force : mapping of str to object
        All settings of the run, by name.

    Examples
    --------
    >>> fitting_cures(("clip_norm=5", "max_norm=3", "less dropout"), {"clip_norm": 5.0})
    ('less dropout',)
    """
    kept = []
    for cure in cures:
        name, equals, value = cure.partition("=")
        setting = bool(equals) and name.isidentifier()
        if setting and (name not in in_force or _same(in_force[name], value)):
            continue
        kept.append(cure)
    return tuple(kept)


def _worded(cure: str) -> str:
    """Return a cure; one that is a setting is named as its reader writes it."""
    name, equals, value = cure.partition("=")
    if not (equals and name.isidentifier()):
        return cure
    try:
        return setting(name, ast.literal_eval(value))
    except (SyntaxError, ValueError):
        # Older bundles hold "vectors=FILE, whose words join the vocabulary".
        return cure


def _same(value: Any, written: str) -> bool:
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            return float(value) == float(written)
        except ValueError:
            return False
    return repr(value) == written


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the worst first, and among equals the earliest."""
    return tuple(sorted(findings, key=lambda found: SEVERITIES.index(found.severity)))
