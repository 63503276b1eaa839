"""A training of an aspect model that is killed ends as an undisturbed one.

Covers aspect_checkpoints.py and training/epoch_recorder.py.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_aspects import tiny_aspects
from warm_process import WarmProcess

from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
from emoclf.aspects.data.aspect_formats import write_aspects
from emoclf.training.checkpoint import FILE

EPOCHS = 6
OPTIONS = (
    f"--vectors none --dim 8 --epochs {EPOCHS} --near-duplicates 1 --units 4 "
    "--members 2 --character-filters 4 --batch-size 8 --quiet"
).split()
#: Files of the folder that contain no time of day.
WEIGHTS = ("weights.npz", "polarity-weights.npz")


def start(data: Path, target: Path, *options: str) -> WarmProcess:
    argv = ("-m", "emoclf", "aspects", "train", data, "-o", target, *OPTIONS, *options)
    return WarmProcess(*argv)


def kill_after(process: WarmProcess, checkpoint: Path, epoch: int) -> None:
    """Kill a process when a network has finished so many epochs."""
    while process.poll() is None:
        if (checkpoint / FILE).is_file():
            with np.load(checkpoint / FILE) as arrays:
                if json.loads(arrays["about"].tobytes())["epoch"] >= epoch:
                    process.send_signal(signal.SIGKILL)
                    assert process.wait() == -signal.SIGKILL
                    return
        time.sleep(0.002)
    raise AssertionError("the training ended before it could be killed")


def refused(process: WarmProcess) -> str:
    """Return the message of a process that ends with an error."""
    error = process.communicate()[1]
    assert process.returncode == 1, error
    return error


@pytest.mark.slow
def test_a_killed_and_resumed_training_equals_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    data = write_aspects(tiny_aspects(), tmp_path / "terms.jsonl")
    disturbed, calm = tmp_path / "a run" / "d.aspects", tmp_path / "calm.aspects"
    disturbed.parent.mkdir()
    checkpoint = disturbed.with_name("d.aspects.checkpoint")
    kill_after(start(data, disturbed), checkpoint / "tagger-0", 2)
    assert not disturbed.exists()
    error = refused(start(data, disturbed))
    assert "contains an interrupted run. Resume it with --resume" in error
    error = refused(start(data, disturbed, "--resume", "--dropout", "0.25"))
    assert "settings.dropout was 0.5 and is now 0.25" in error
    kill_after(start(data, disturbed, "--resume"), checkpoint / "polarity-1", 1)
    finished = (checkpoint / "tagger-1" / FILE).stat().st_mtime_ns
    kill_after(start(data, disturbed, "--resume"), checkpoint / "polarity-1", 3)
    # Finished networks are not trained again.
    assert (checkpoint / "tagger-1" / FILE).stat().st_mtime_ns == finished
    assert start(data, disturbed, "--resume").wait() == 0
    assert not checkpoint.exists()
    assert start(data, calm).wait() == 0
    for name in WEIGHTS:
        with np.load(disturbed / name) as found, np.load(calm / name) as expected:
            assert sorted(found.files) == sorted(expected.files)
            for key in expected.files:
                np.testing.assert_array_equal(found[key], expected[key], key)
    figures = [json.loads((x / "figures.json").read_text()) for x in (disturbed, calm)]
    assert figures[0] == figures[1]
    histories = [
        [
            {name: values for name, values in one.items() if name != "seconds"}
            for one in json.loads((folder / "history.json").read_text())
        ]
        for folder in (disturbed, calm)
    ]
    assert histories[0] == histories[1]
    assert len(histories[0][0]["loss"]) <= EPOCHS
    error = refused(start(data, disturbed, "--resume"))
    assert "there is nothing to resume" in error


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    checkpoints = AspectCheckpoints(tmp_path / "d.aspects.checkpoint")
    assert not checkpoints.exist()
    checkpoints.remove()
    checkpoints.path.mkdir()
    (checkpoints.path / "mine.txt").write_text("x")
    folder = checkpoints.of("tagger-0", {"units": 4}, ["text"], [])
    folder.start()
    assert not checkpoints.exist()
    checkpoints.remove()
    assert [path.name for path in checkpoints.path.iterdir()] == ["mine.txt"]
