"""Numbers that are too large, settings that are too deep: one sentence each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_search import write_corpus

from emoclf.cli import main

TRAIN = ["train", "{data}", "-o", "{folder}/a.emoclf"]
TUNE = ["tune", "{data}", "-o", "{folder}/s"]
BILLION = "1000000000"
CALLS: dict[str, tuple[list[str], str]] = {
    "hidden": ([*TRAIN, "--hidden", BILLION], "at most 65536"),
    "stride": ([*TRAIN, "--stride", BILLION], "at most 4096"),
    "pool size": ([*TRAIN, "--pool-size", BILLION], "at most 4096"),
    "pool stride": ([*TRAIN, "--pool-stride", "9" * 5000], "pool-stride"),
    "seed": ([*TRAIN, "--seed", "9" * 5000], "seed"),
    "encoding": ([*TRAIN, "--encoding", "punycode"], "encoding"),
    "deep settings": ([*TRAIN, "--config", "{folder}/deep.toml"], "too deeply"),
    "parameters": ([*TUNE, "--max-parameters", "9" * 23], "is above"),
    "bytes": ([*TUNE, "--max-bytes", "9" * 400], "is above"),
    "time": ([*TUNE, "--time", f"{'9' * 400}h"], "is above"),
    "milliseconds": ([*TUNE, "--max-ms", "inf"], "at most"),
    "workers of a search": ([*TUNE, "--workers", "100000"], "workers must be at most"),
    "threads of a search": ([*TUNE, "--threads", "100000"], "threads must be at most"),
    "workers": (
        ["predict", "{model}", "{data}", "-o", "{folder}/o.csv", "--workers", "100000"],
        "--workers must be at most",
    ),
    "no architectures": (
        ["compare", "{data}", "-o", "{folder}/c", "--architectures="],
        "rchitecture",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_absurd_values_get_one_sentence(
    call: str,
    tiny_export: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "deep.toml").write_text(f"a = {'[' * 10_000}")
    places = {
        "data": write_corpus(tmp_path / "texts.csv"),
        "folder": tmp_path,
        "model": tiny_export("folded"),
    }
    arguments, message = CALLS[call]
    capsys.readouterr()  # of the training of the model
    try:
        code = main([text.format(**places) for text in arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    error = capsys.readouterr().err
    assert code in (1, 2)
    assert message in error
    assert "Traceback" not in error
    assert len(error.splitlines()) <= 2
    assert len(error) < 1000
    assert not list(tmp_path.glob("*.emoclf"))


@pytest.mark.slow
def test_an_absurd_environment_gets_one_sentence(
    tiny_export: Callable[[str], Path],
) -> None:
    command = [sys.executable, "-m", "emoclf", "predict", "--engine", "numba"]
    done = subprocess.run(
        [*command, str(tiny_export("folded")), "--text", "a"],
        env={**os.environ, "NUMBA_NUM_THREADS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "NUMBA_NUM_THREADS" in done.stderr or "threads" in done.stderr
    assert "Traceback" not in done.stderr
