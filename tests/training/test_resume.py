"""A training killed at any moment ends with the weights of an undisturbed one.

Covers training/checkpoint.py and fingerprint.py.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from killed_run import EPOCHS, main
from warm_process import WarmProcess

from emoclf.errors import ResumeError
from emoclf.fingerprint import RUN_FILE, digest
from emoclf.training.checkpoint import FILE, Checkpoint, CheckpointFolder

SCRIPT = Path(__file__).parents[1] / "shared" / "killed_run.py"


def wait_for_epoch(process: WarmProcess, path: Path, epoch: int) -> None:
    """Wait for a checkpoint of at least this epoch, or for the end of the run."""
    while process.poll() is None:
        if path.is_file():
            with np.load(path) as arrays:
                if json.loads(arrays["about"].tobytes())["epoch"] >= epoch:
                    return
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["plain", "ema", "cosine"])
def test_a_killed_and_resumed_training_equals_an_undisturbed_one(
    tmp_path: Path, variant: str
) -> None:
    rng = np.random.default_rng(len(variant))
    disturbed = tmp_path / "disturbed run"
    disturbed.mkdir()
    kills = 0
    for epoch in (1, 4, 7):
        process = WarmProcess(SCRIPT, disturbed, variant, "--resume")
        wait_for_epoch(process, disturbed / variant / FILE, epoch)
        # In a step, an evaluation, or a write of one of the next epochs.
        time.sleep(rng.uniform(0, 0.15))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills
    assert WarmProcess(SCRIPT, disturbed, variant, "--resume").wait() == 0
    calm = tmp_path / "calm"
    calm.mkdir()
    main(calm, variant, resume=False)
    with (
        np.load(calm / f"{variant}.npz") as expected,
        np.load(disturbed / f"{variant}.npz") as resumed,
    ):
        assert sorted(resumed.files) == sorted(expected.files)
        for name in expected.files:
            np.testing.assert_array_equal(resumed[name], expected[name], name)


def checkpoint(epoch: int = 1) -> Checkpoint:
    values = [np.arange(3.0), np.ones((2, 2), np.float32)]
    return Checkpoint(epoch, values, values[:1], [], {"history": {"loss": [1.5]}})


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    folder = CheckpointFolder(
        tmp_path / "run", {"settings": {"training": {"epochs": 3}}}
    )
    folder.start()
    folder.save(checkpoint())
    return folder


def test_a_checkpoint_is_read_as_it_was_saved(folder: CheckpointFolder) -> None:
    folder.save(checkpoint(2))
    read = folder.load()
    assert read.epoch == 2
    assert read.states == {"history": {"loss": [1.5]}}
    np.testing.assert_array_equal(read.model[1], np.ones((2, 2)))
    assert read.best == []
    assert {path.name for path in folder.path.iterdir()} == {FILE, RUN_FILE}


@pytest.mark.parametrize("damage", ["cut", "flip", "garbage", "empty"])
def test_a_damaged_checkpoint_is_refused(folder: CheckpointFolder, damage: str) -> None:
    path = folder.path / FILE
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 3] ^= 255
    new = {"cut": data[:-40], "flip": data, "garbage": b"not numbers", "empty": b""}
    path.write_bytes(new[damage])
    with pytest.raises(ResumeError, match=r"damaged.*--overwrite"):
        folder.load()


def test_another_run_is_refused_and_the_difference_named(
    folder: CheckpointFolder,
) -> None:
    other = CheckpointFolder(folder.path, {"settings": {"training": {"epochs": 4}}})
    with pytest.raises(
        ResumeError,
        match=r"settings.training.epochs was 3 and is now 4.*--overwrite without --re",
    ):
        other.load()
    text = CheckpointFolder(folder.path, {**folder.fingerprint, "texts": digest(["a"])})
    with pytest.raises(ResumeError, match="texts was None"):
        text.load()


def test_a_run_of_another_version_is_refused(folder: CheckpointFolder) -> None:
    def of(version: str) -> CheckpointFolder:
        return CheckpointFolder(folder.path, {"versions": {"emoclf": version}})

    of("0.1.0").start()
    with pytest.raises(
        ResumeError,
        match=r"run cannot be resumed, because it was started with other settings, "
        r"data or versions: the version of emoclf was '0.1.0' and is now '0.2.0'\.",
    ):
        of("0.2.0").load()


def test_a_damaged_fingerprint_is_refused(folder: CheckpointFolder) -> None:
    (folder.path / RUN_FILE).write_text("{")
    with pytest.raises(ResumeError, match=r"run.json cannot be read"):
        folder.load()


def test_digests_differ() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"])
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(np.zeros(2)) != digest(np.zeros(2, np.float32))
    assert digest(np.zeros(2)) == digest(np.zeros(2))


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    main(tmp_path, "ema", resume=False)
    first = (tmp_path / "ema.npz").stat().st_mtime_ns
    checkpoint_before = (tmp_path / "ema" / FILE).stat().st_mtime_ns
    main(tmp_path, "ema", resume=True)
    assert (tmp_path / "ema.npz").stat().st_mtime_ns > first
    # Each epoch of a training writes a checkpoint.
    assert (tmp_path / "ema" / FILE).stat().st_mtime_ns == checkpoint_before
    with np.load(tmp_path / "ema.npz") as saved:
        assert saved["history"].shape[1] == EPOCHS
