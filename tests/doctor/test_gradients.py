"""Checks of gradients, updates, units and the learning rate."""

from __future__ import annotations

import numpy as np

from emoclf.doctor.findings import Finding
from emoclf.doctor.gradients import (
    check_gradients,
    check_rate,
    check_units,
    check_updates,
)


def name(finding: Finding | None) -> str | None:
    return finding and finding.name


def test_the_worst_layer_is_named() -> None:
    findings = check_units({"a": 0.2, "b": 0.95}, {"c": 0.6})
    assert [(f.name, f.severity, f.evidence["layer"]) for f in findings] == [
        ("dead-units", "error", "b"),
        ("saturated-units", "warning", "c"),
    ]
    assert check_units({"a": 0.2}, {"c": 0.4}) == []
    assert check_units({}, {}) == []


def test_gradients() -> None:
    def check(**norms: float) -> str | None:
        return name(check_gradients(norms, head="logits"))

    assert check(all=2.0, conv=1e-3, logits=1e-3) is None
    assert check(all=2.0, conv=1e-9, logits=1e-3) == "vanishing-gradients"
    assert check(all=1e4, conv=1.0, logits=1.0) == "exploding-gradients"
    assert check(all=np.inf, logits=1.0) == "exploding-gradients"
    assert check(all=1.0, logits=1.0) is None
    assert check() is None


def test_updates_and_rates() -> None:
    assert name(check_updates({"a": 1e-3, "b": 0.5})) == "updates-too-large"
    assert name(check_updates({"a": 1e-9, "b": 1e-8})) == "updates-too-small"
    assert check_updates({"a": 1e-9, "b": 1e-3}) is None
    assert check_updates({}) is None
    for rate, side in [(1e-3, None), (0.02, None), (1e-5, None),
                       (0.1, "far above"), (1e-7, "far below")]:  # fmt: skip
        finding = check_rate(rate, usual=1e-3, optimizer="adam")
        assert (finding is None) == (side is None)
        assert finding is None or str(side) in finding.message
