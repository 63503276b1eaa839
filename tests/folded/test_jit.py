"""Processes share the cache of compiled functions; tests of emoclf.folded.jit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
import random, sys
from emoclf.folded.jit import compiled

@compiled
def total(numbers):
    result = VERSION
    for number in numbers:
        result += number
    return result

if __name__ == "__main__":
    lengths = list(range(1, 9))
    random.Random(sys.argv[1]).shuffle(lengths)
    for length in lengths:
        # A type, and so a signature, for each length.
        assert total((length,) * length) == VERSION + length * length, length
"""


@pytest.mark.slow
def test_processes_do_not_run_each_others_code(tmp_path: Path) -> None:
    script = tmp_path / "functions.py"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    # The second version finds the code of the first one in the cache.
    for version in ("0", "1000"):
        script.write_text(MODULE.replace("VERSION", version))
        processes = [
            subprocess.Popen(
                [sys.executable, str(script), str(seed)],
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            for seed in range(4)
        ]
        for process in processes:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
    assert list((tmp_path / "cache").rglob("emoclf.lock"))
