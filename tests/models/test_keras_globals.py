"""Networks under Keras settings of another project, and as Keras' own files.

Covers ``models/keras_globals.py``, ``runtime.wrong_backend`` and
``emoclf.register_layers``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts import VARIANTS, matrix, settings_for
from tiny import tiny_dataset, tiny_settings, tiny_split, tiny_trained

from emoclf import load_bundle, train_classifier
from emoclf.errors import ModelError
from emoclf.models import ARCHITECTURES
from emoclf.models.build import build_model
from emoclf.models.keras_globals import default_keras_globals
from emoclf.predictor import Predictor

TEXTS = ["it was lovely at home", "it was dark by the river", "nothing"]


@pytest.fixture
def other_globals() -> Iterator[None]:
    before = keras.config.floatx(), keras.config.image_data_format()
    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_image_data_format(before[1])
    keras.config.set_dtype_policy("float32")


def globals_now() -> tuple[str, str, str]:
    config = keras.config
    return config.floatx(), config.image_data_format(), config.dtype_policy().name


@pytest.mark.slow
def test_training_and_prediction_do_not_depend_on_them(
    other_globals: None, tmp_path: Path
) -> None:
    before = globals_now()
    split = tiny_split()
    trained = train_classifier(split.train, split.valid, tiny_settings())
    assert globals_now() == before
    expected = tiny_trained().predictor.predict_proba(TEXTS)
    np.testing.assert_array_equal(trained.predictor.predict_proba(TEXTS), expected)
    trained.predictor.save(tmp_path / "a.emoclf")
    loaded = Predictor(load_bundle(tmp_path / "a.emoclf"))
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), expected)
    assert globals_now() == before


def test_they_are_restored_after_an_error_and_after_the_last_thread(
    other_globals: None,
) -> None:
    before = globals_now()

    @default_keras_globals()
    def fail() -> None:
        assert globals_now() == ("float32", "channels_last", "float32")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert globals_now() == before
    inside, leave = threading.Event(), threading.Event()

    def other_thread() -> None:
        with default_keras_globals():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other_thread)
    with default_keras_globals():
        thread.start()
        assert inside.wait(10)
    assert globals_now()[:2] == ("float32", "channels_last")
    leave.set()
    thread.join()
    assert globals_now() == before


def test_training_in_the_scope_of_a_strategy_is_refused_in_a_sentence() -> None:
    split = tiny_split()
    with (
        tf.distribute.MirroredStrategy(["/cpu:0"]).scope(),
        pytest.raises(ModelError, match=r"one device.*MirroredStrategy"),
    ):
        train_classifier(split.train, split.valid, tiny_settings(epochs=1))


def run(code: str, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables},
    )


@pytest.mark.slow
def test_the_command_line_ignores_keras_json_and_the_library_says_what_to_do(
    tmp_path: Path,
) -> None:
    data = tiny_dataset()
    lines = [f"{t},{x}\n" for t, x in zip(data.texts, data.labels, strict=True)]
    (tmp_path / "data.csv").write_text("text,label\n" + "".join(lines))
    (tmp_path / "keras.json").write_text(
        json.dumps({"backend": "jax", "image_data_format": "channels_first"})
    )
    home = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    command = "import sys; from emoclf.cli import main; sys.exit(main(sys.argv[1:]))"
    bundle = str(tmp_path / "a.emoclf")
    options = ["-o", bundle, "--epochs", "1", "--filters", "2", "--quiet"]
    trained = run(command, "train", str(tmp_path / "data.csv"), *options, **home)
    assert trained.returncode == 0, trained.stderr
    library = run(f"import emoclf; emoclf.Predictor.load({bundle!r})", **home)
    message = library.stderr.strip().splitlines()[-1]
    assert "ModelError: Keras runs on the backend 'jax'" in message
    assert "KERAS_BACKEND=tensorflow" in message


def test_the_configuration_does_not_contain_the_matrix(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2000, 50)).astype(np.float32)
    values[0] = 0
    settings = settings_for("text_cnn", "two-channel")
    model = build_model(settings, n_classes=2, matrix=values)
    for name in ("embedding", "embedding_static"):
        np.testing.assert_array_equal(model.get_layer(name).embeddings, values)
    model.save(tmp_path / "a.keras")
    with ZipFile(tmp_path / "a.keras") as file:
        assert file.getinfo("config.json").file_size < 0.1 * values.nbytes


LOAD = """
import sys, keras, numpy as np
{order}
for path in sys.argv[1:]:
    model = keras.models.load_model(path)
    outputs = model(np.array([[3, 4, 5, 0, 0], [1, 2, 0, 0, 0]])).numpy()
    assert np.array_equal(outputs, np.load(path + ".npy")), path
print("equal")
"""


@pytest.fixture(scope="module")
def saved_networks(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Save every architecture as Keras does, with its outputs for two texts."""
    folder = tmp_path_factory.mktemp("networks")
    ids = np.array([[3, 4, 5, 0, 0], [1, 2, 0, 0, 0]])
    paths = []
    for name, flat in [*((name, {}) for name in ARCHITECTURES), *VARIANTS]:
        settings = settings_for(name, "two-channel", **flat)
        model = build_model(settings, n_classes=3, matrix=matrix())
        path = str(folder / f"{len(paths)}.keras")
        model.save(path)
        np.save(path, model(ids).numpy())
        paths.append(path)
    return paths


@pytest.mark.slow
@pytest.mark.parametrize(
    "order", ["import emoclf", "emoclf.register_layers()"], ids=["after", "before"]
)
def test_keras_loads_every_architecture_in_a_new_process(
    order: str, saved_networks: list[str]
) -> None:
    first = "" if order == "import emoclf" else "import emoclf\n"
    loaded = run(first + LOAD.format(order=order), *saved_networks)
    assert loaded.stdout == "equal\n", loaded.stderr


@pytest.mark.slow
def test_a_checkpoint_of_a_training_is_loaded_with_loss_and_optimizer(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "checkpoint.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    split = tiny_split()
    settings = tiny_settings(epochs=1, loss="focal", focal_gamma=1.0)
    train_classifier(split.train, split.valid, settings, callbacks=[checkpoint])
    loaded = keras.models.load_model(path)
    assert loaded.loss.get_config()["focal_gamma"] == 1.0
    assert type(loaded.optimizer).__name__ == "LazyAdam"
