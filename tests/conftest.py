"""Fixtures that several rooms share, and signals of the test session.

Corpora, networks and searches that are small enough for tests are functions of the
modules in ``tests/shared``.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

# A shell makes its background jobs ignore Ctrl-C, and their children inherit that. A
# Python handler is reset to the default in every child, so that tests can interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# pytest-xdist has a process for each core, whose threads would compete: with one each,
# tests that train take 15 to 30 % less processor time.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{library}_THREADS", "1")

# Collections find nothing while the tests' modules and TensorFlow are imported.
gc.disable()

#: Files that take minutes. They are begun first, so that none is left for the end, when
#: the other processes are idle (``make test`` runs a file in one process).
LONGEST_FILES = (
    "test_processes.py",
    "test_contracts.py",
    "test_search.py",
    "test_trainings.py",
    "test_estimator.py",
    "test_notebooks.py",
    "test_commands.py",
    "test_resume.py",
    "test_formats.py",
    "test_repeats.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Return one process more than there are cores: tests wait for others they start.

    At most four, since each takes a gigabyte.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return min((os.cpu_count() or 1) + 1, 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by file, the longest files first."""
    order = {name: number for number, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_collection_finish() -> None:
    """Collect garbage again, but seldom, and not what was imported."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()


@pytest.fixture(scope="session")
def tiny_export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from an export format to an export, which must not change."""
    from tiny import tiny_trained

    from emoclf.export import export_classifier

    folder = tmp_path_factory.mktemp("exports of the tiny classifier")

    @cache
    def export(export_format: str) -> Path:
        target = folder / export_format
        return export_classifier(tiny_trained().predictor, target, to=export_format)

    return export
