"""A distillation that is killed at any stage ends with the student of a calm one.

Covers distillation/distillation_run.py and distillation/distillation_folder.py.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from killed_distillation import (
    EPOCHS,
    N_CHOSEN,
    UNLABELLED,
    distillation_settings,
    main,
)
from small_teacher import WordTeacher
from tiny import tiny_dataset, tiny_settings, tiny_split
from warm_process import WarmProcess

from emoclf import Predictor
from emoclf.distillation.distillation_folder import DistillationFolder
from emoclf.distillation.distillation_run import run_distillation
from emoclf.errors import BundleError, ResumeError

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[1] / "shared" / "killed_distillation.py"


def killed(output: Path, when: str) -> None:
    assert WarmProcess(SCRIPT, output, when).wait() == -signal.SIGKILL
    assert not output.exists()


def predicted_bytes(output: Path) -> int:
    (file,) = output.parent.glob("*.checkpoint/predictions/*/probabilities.f16")
    return file.stat().st_size


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run that was killed twice, the second time in training."""
    output = tmp_path_factory.mktemp("a run") / "s.emoclf"
    killed(output, "predictions")
    # Two chunks of sixteen texts.
    assert predicted_bytes(output) == 2 * 16 * 3 * 2
    killed(output, "first")
    assert predicted_bytes(output) == (42 + N_CHOSEN) * 3 * 2
    return output.parent


def test_a_distillation_killed_at_every_stage(
    interrupted: Path, tmp_path: Path
) -> None:
    disturbed, calm = tmp_path / "a run" / "s.emoclf", tmp_path / "calm.emoclf"
    shutil.copytree(interrupted, disturbed.parent)
    checkpoint = disturbed.with_name("s.emoclf.checkpoint")
    killed(disturbed, "last")
    assert predicted_bytes(disturbed) == (42 + N_CHOSEN) * 3 * 2
    assert WarmProcess(SCRIPT, disturbed, "never").wait() == 0
    assert not checkpoint.exists()
    main(calm, "never")
    one, other = Predictor.load(disturbed).bundle, Predictor.load(calm).bundle
    for a, b in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.history["val_loss"] == other.history["val_loss"]
    facts = one.metrics["distillation"]
    assert facts == other.metrics["distillation"]
    assert [stage["epochs"] for stage in facts["stages"]] == [*EPOCHS.values()]


def test_an_interrupted_run_is_neither_lost_nor_mixed_up(
    interrupted: Path, tmp_path: Path
) -> None:
    output = tmp_path / "a run" / "s.emoclf"
    shutil.copytree(interrupted, output.parent)
    teacher = WordTeacher()

    def run(**options: object) -> None:
        run_distillation(
            tiny_dataset(),
            tiny_split(),
            tiny_settings(epochs=EPOCHS["first"]),
            **{
                "teacher": teacher,
                "unlabelled": UNLABELLED,
                "output": output,
                "distillation": distillation_settings(last_epochs=1),
                "verbose": False,
                **options,
            },
        )

    with pytest.raises(ResumeError, match=r"contains an interrupted run.*resume=True"):
        run()
    with pytest.raises(ResumeError, match=r"distillation.last_epochs was 5 and is now"):
        run(resume=True)
    # The teacher's predictions are kept, since teacher and texts are the same.
    run(overwrite=True)
    assert not teacher.texts
    assert not DistillationFolder(output.with_name("s.emoclf.checkpoint")).exists()
    with pytest.raises(BundleError, match="exists"):
        run()
    with pytest.raises(ResumeError, match="is finished; there is nothing to resume"):
        run(resume=True)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    folder = DistillationFolder(tmp_path / "s.emoclf.checkpoint")
    folder.path.mkdir()
    (folder.path / "mine.txt").write_text("x")
    assert not folder.exists()
    folder.remove()
    assert [path.name for path in folder.path.iterdir()] == ["mine.txt"]
