"""Equal seeds give equal weights, also in another process."""

from __future__ import annotations

import hashlib
import os
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
ARCHITECTURES = ("text_cnn", "res_cnn", "cnn_lstm")


@pytest.fixture(scope="module")
def fitted_elsewhere() -> dict[str, str]:
    """Return the digests of trainings with seed 3 in another process."""
    other_process = subprocess.run(
        [sys.executable, __file__, "3", *ARCHITECTURES],
        capture_output=True,
        text=True,
        check=True,
        # With as many threads: on some processors sums depend on their number.
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    ).stdout
    return dict(zip(ARCHITECTURES, other_process.split(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_process_does_not_matter(
    architecture: str, fitted_elsewhere: dict[str, str]
) -> None:
    here = fitted(architecture, 3)
    assert here == fitted(architecture, 3)
    assert here != fitted(architecture, 4)
    assert here == fitted_elsewhere[architecture]


if __name__ == "__main__":
    for name in sys.argv[2:]:
        print(fitted(name, int(sys.argv[1])))
