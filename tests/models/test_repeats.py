"""Equal seeds give equal weights, also in another process."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import contracts
import numpy as np
import pytest

from emoclf.models.build import build_model
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model


def fitted(architecture: str, seed: int) -> str:
    """Return a digest of the weights after a short training."""
    settings = contracts.settings_for(
        architecture, "two-channel", seed=seed, epochs=2, batch_size=4
    )
    model = build_model(settings, n_classes=3, matrix=contracts.matrix())
    ids = contracts.texts(*range(2, 22))
    examples = Examples(ids, np.arange(20, dtype=np.int32) % 3)
    fit_model(model, examples, examples, settings.training, seed=seed)
    data = b"".join(weight.tobytes() for weight in model.get_weights())
    return hashlib.sha256(data).hexdigest()


# Convolution, batch normalization and recurrence: their random numbers and sums.
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["text_cnn", "res_cnn", "cnn_lstm"])
def test_the_process_does_not_matter(architecture: str) -> None:
    here = fitted(architecture, 3)
    assert here == fitted(architecture, 3)
    assert here != fitted(architecture, 4)
    other_process = subprocess.run(
        [sys.executable, __file__, architecture, "3"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "3"},
    ).stdout
    assert other_process.strip() == here


if __name__ == "__main__":
    print(fitted(sys.argv[1], int(sys.argv[2])))
