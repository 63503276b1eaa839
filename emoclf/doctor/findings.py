"""The findings of all checks: name, severity, evidence, causes and cures."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from emoclf.display import html_lines
from emoclf.errors import setting

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or probably wrong, with a model or its training.

    Parameters
    ----------
    name : str
        Name in :data:`emoclf.doctor.catalogue.FINDINGS`; it is stable, so that programs
        can use it.
    severity : {"error", "warning", "note"}
        An error makes the network useless; a warning makes it worse than it could be;
        a note is worth knowing.
    message : str
        Observation with its numbers, in one sentence.
    evidence : dict of str to float or str
        Numbers of the message.
    causes : tuple of str
        Likely causes, the likeliest first.
    cures : tuple of str
        Changes that may help, in the order in which to try them.
    epoch : int or None
        Epoch (from 1) of the first observation; None for a finding from before the
        training, or about the resulting network.
    """

    name: str
    severity: str
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    cures: tuple[str, ...] = ()
    epoch: int | None = None

    def lines(self) -> list[str]:
        """Return the finding, its causes and its cures as lines of text."""
        when = f" (epoch {self.epoch})" if self.epoch else ""
        lines = [f"{self.severity}: {self.name}{when}: {self.message}"]
        if self.causes:
            lines.append(f"  likely causes: {'; '.join(self.causes)}.")
        if self.cures:
            lines.append(f"  change: {'; '.join(map(_worded, self.cures))}.")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<Finding {self.severity}: {self.name}: {self.message}>"

    def _repr_html_(self) -> str:
        return html_lines(self.lines())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "causes": [*self.causes], "cures": [*self.cures]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the finding of a dict from :meth:`to_dict`."""
        tuples = {name: tuple(values[name]) for name in ("causes", "cures")}
        return cls(**{**values, **tuples})


def fitting_cures(
    cures: tuple[str, ...], in_force: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the cures without settings that a run does not have, or has already.

    Parameters
    ----------
    cures : tuple of str
        ``name=value`` for a setting, or plain words.
    in_force : mapping of str to object
        All settings of the run, by name.

    Examples
    --------
    >>> fitting_cures(("clip_norm=5", "max_norm=3", "less dropout"), {"clip_norm": 5.0})
    ('less dropout',)
    """

    def fits(cure: str) -> bool:
        name, equals, value = cure.partition("=")
        is_setting = bool(equals) and name.isidentifier()
        return not is_setting or (
            name in in_force and not _equals(in_force[name], value)
        )

    return tuple(filter(fits, cures))


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


def _equals(value: Any, written: str) -> bool:
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            return float(value) == float(written)
        except ValueError:
            return False
    return repr(value) == written


def first_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the first finding of each name, such as those of several networks."""
    by_name: dict[str, Finding] = {}
    for finding in findings:
        by_name.setdefault(finding.name, finding)
    return tuple(by_name.values())


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings by severity, the worst first; otherwise keep the order."""
    return tuple(sorted(findings, key=lambda one: SEVERITIES.index(one.severity)))
