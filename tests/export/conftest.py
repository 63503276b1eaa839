"""Exports of the tiny classifier, made once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tiny import tiny_trained

from emoclf.export import export_classifier


@pytest.fixture(scope="session")
def tiny_export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from an export format to an export, which must not change."""
    folder = tmp_path_factory.mktemp("exports of the tiny classifier")

    @cache
    def export(export_format: str) -> Path:
        target = folder / export_format
        return export_classifier(tiny_trained().predictor, target, to=export_format)

    return export
