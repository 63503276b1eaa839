"""Settings in messages: as Python writes them, and as the command line does."""

from __future__ import annotations

import pytest

from emoclf.doctor.findings import Finding
from emoclf.errors import NAMES_AS_OPTIONS, setting


@pytest.mark.parametrize(
    ("arguments", "python", "option"),
    [
        (("skip_bad_rows",), "skip_bad_rows", "--skip-bad-rows"),
        (("encoding", "latin-1"), "encoding='latin-1'", "--encoding latin-1"),
        (("text_column", "1"), "text_column='1'", "--text-column 1"),
        (("label_column", "a b"), "label_column='a b'", "--label-column 'a b'"),
        (("threads", 0), "threads=0", "--threads 0"),
        (("overwrite", True), "overwrite=True", "--overwrite"),
    ],
)
def test_a_setting_is_named_as_its_reader_writes_it(
    arguments: tuple, python: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert setting(*arguments) == python
    monkeypatch.setenv(NAMES_AS_OPTIONS, "1")
    assert setting(*arguments) == option


def test_cures_that_are_settings_are_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    old = "vectors=FILE, whose words join the vocabulary"
    cures = ("activation='elu'", "batch_norm=True", "clip_norm=5", "less dropout", old)
    finding = Finding("x", "note", "y", cures=cures)
    assert finding.lines()[-1] == f"  change: {'; '.join(cures)}."
    monkeypatch.setenv(NAMES_AS_OPTIONS, "1")
    shown = f"--activation elu; --batch-norm; --clip-norm 5; less dropout; {old}"
    assert finding.lines()[-1] == f"  change: {shown}."
    assert finding.to_dict()["cures"] == list(cures)
