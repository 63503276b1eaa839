"""A damaged checkpoint is refused, and other files are left alone.

Covers training/checkpoint.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclf.errors import ResumeError
from emoclf.fingerprint import RUN_FILE
from emoclf.training.checkpoint import FILE, Checkpoint, CheckpointFolder


def checkpoint(epoch: int) -> Checkpoint:
    model = [np.arange(5, dtype=np.float32) + epoch, np.ones((2, 3), np.float32)]
    return Checkpoint(epoch, model, [np.array(7)], [], {"history": {"loss": [0.5]}})


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    folder = CheckpointFolder(tmp_path / "run", {"seed": 1})
    folder.start()
    folder.save(checkpoint(1))
    return folder


def content(saved: Checkpoint) -> list:
    arrays = [*saved.model, *saved.optimizer, *saved.best]
    return [saved.epoch, saved.states, *(array.tolist() for array in arrays)]


@pytest.mark.parametrize("bits", [1, 8, 255])
def test_flipped_bytes_are_noticed(folder: CheckpointFolder, bits: int) -> None:
    path, expected = folder.path / FILE, content(folder.load())
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= bits
        path.write_bytes(data)
        try:
            # Some bytes, such as those of a date, are not read.
            assert content(folder.load()) == expected
        except ResumeError:
            refused += 1
    assert refused > len(whole) / 3 / 2


def test_truncated_files_are_refused(folder: CheckpointFolder) -> None:
    path = folder.path / FILE
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ResumeError, match=r"damaged.*--overwrite"):
            folder.load()


def test_an_interrupted_write_leaves_the_previous_checkpoint(
    folder: CheckpointFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(stream, **arrays) -> None:
        stream.write(b"PK half a file")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", half)
        with pytest.raises(KeyboardInterrupt):
            folder.save(checkpoint(2))
    assert folder.load().epoch == 1
    folder.save(checkpoint(3))
    assert folder.load().epoch == 3
    assert {path.name for path in folder.path.iterdir()} == {FILE, RUN_FILE}


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    folder = CheckpointFolder(tmp_path, {})
    folder.start()
    folder.save(checkpoint(1))
    assert folder.exists()
    folder.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
