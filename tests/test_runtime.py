"""A process that was forked after TensorFlow had been used gets an error at once.

The command line imports TensorFlow without garbage collection.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import tiny_folded, tiny_trained
from warm_process import run

from emoclf.runtime import garbage_collection_paused

FORK = """
import os, sys
from emoclf import Predictor, load_exported
from emoclf.errors import ModelError
path, kind, used = sys.argv[1:]
load = Predictor.load if kind == "bundle" else load_exported
if used == "used":
    classifier = load(path)
    classifier.predict(["it was lovely at home"])
child = os.fork()
if child == 0:
    try:
        if used != "used":
            classifier = load(path)
        print(*classifier.predict(["it was lovely at home"]), flush=True)
    except ModelError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent", *load(path).predict(["it was lovely at home"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "used", "expected"),
    [
        ("bundle", "used", "This process was forked after its parent had used"),
        ("saved-model", "used", "This process was forked after its parent had used"),
        ("bundle", "only loaded afterwards", "joy"),
        ("folded", "used", "joy"),
    ],
)
def test_a_forked_process_predicts_or_says_why_not(
    kind: str,
    used: str,
    expected: str,
    tiny_export: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    if kind == "bundle":
        path = tiny_trained().predictor.save(tmp_path / "tiny.emoclf")
    elif kind == "folded":
        path = tiny_folded(tmp_path)
    else:
        path = tiny_export(kind)
    forked = run("-c", FORK, path, kind, used)
    child, parent = forked.stdout.splitlines()
    assert child.startswith(expected)
    assert parent == "parent joy"


def test_garbage_collection_goes_on_after_a_pause() -> None:
    assert gc.isenabled()
    with garbage_collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage_collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.slow
def test_the_command_line_leaves_imported_objects_out_of_collections() -> None:
    code = (
        "import gc\n"
        "from emoclf.runtime import load_tensorflow\n"
        "load_tensorflow()\n"
        "frozen = gc.get_freeze_count()\n"
        "load_tensorflow()\n"
        "print(gc.isenabled(), frozen > 100_000, gc.get_freeze_count() <= frozen)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True True\n"
