"""Files of an unfinished distillation."""

from __future__ import annotations

import shutil
from pathlib import Path

from emoclf.distillation.transfer_set import FILES
from emoclf.fingerprint import RUN_FILE
from emoclf.training.checkpoint import CheckpointFolder

PREDICTIONS_FOLDER = "predictions"
FIRST_STAGE, LAST_STAGE = "first-stage", "last-stage"


class DistillationFolder:
    """Folder of an unfinished distillation.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.predictions = path / PREDICTIONS_FOLDER

    def exists(self) -> bool:
        """Whether there is an unfinished run."""
        places = (f"{PREDICTIONS_FOLDER}/*", FIRST_STAGE, LAST_STAGE)
        return any(any(self.path.glob(f"{place}/{RUN_FILE}")) for place in places)

    def discard_stages(self) -> None:
        """Remove the checkpoints of the student; the teachers' predictions are kept.

        Predictions belong to a teacher and texts, whatever the student is.
        """
        for name in (FIRST_STAGE, LAST_STAGE):
            CheckpointFolder(self.path / name, {}).remove()

    def remove(self) -> None:
        """Remove all that a distillation has written, and the folder if it is empty."""
        self.discard_stages()
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.predictions, ignore_errors=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()
