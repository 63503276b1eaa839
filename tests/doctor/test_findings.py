"""Findings as data, text and advice."""

from __future__ import annotations

from emoclf.doctor.findings import Finding, fitting_cures, sorted_findings


def test_cures_that_a_run_does_not_have_are_left_out() -> None:
    cures = ("clip_norm=5", "activation='relu'", "pooling='max'", "less dropout")
    in_force = {"clip_norm": 5.0, "pooling": "last"}
    assert fitting_cures(cures, in_force) == ("pooling='max'", "less dropout")
    assert fitting_cures(("batch_norm=True",), {"batch_norm": True}) == ()


def test_findings_are_saved_and_sorted() -> None:
    note = Finding("a", "note", "a note")
    error = Finding("b", "error", "an error", {"x": 1}, ("c",), ("d",), epoch=3)
    assert sorted_findings([note, error]) == (error, note)
    assert Finding.from_dict(error.to_dict()) == error
    assert str(error).splitlines() == [
        "error: b (epoch 3): an error",
        "  likely causes: c.",
        "  change: d.",
    ]
