"""A teacher whose transformer encoder is in another place than in its training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")
pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tiny import tiny_settings, tiny_split
from tiny_encoder import write_tiny_encoder

from emoclf import distil_classifier, train_classifier
from emoclf.distillation.teachers import as_teachers
from emoclf.errors import ModelError
from emoclf.settings import DataSettings


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_moved_encoder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOCLF_CACHE", str(tmp_path / "cache"))
    encoder, moved = tmp_path / "an encoder", tmp_path / "moved"
    write_tiny_encoder(encoder)
    trained = train_classifier(
        tiny_split(),
        architecture="sentence_head",
        encoder=str(encoder),
        epochs=1,
        verbose=0,
    )
    path = trained.save(tmp_path / "teacher.emoclf")
    encoder.rename(moved)

    def distil(**options: Any) -> Any:
        settings = tiny_settings(epochs=1)
        options["last_epochs"] = 0
        options |= {"teacher": path, "unlabelled": ["a new text"], "verbose": 0}
        return distil_classifier(tiny_split(), settings=settings, **options)

    with pytest.raises(ModelError, match=r"teacher\.emoclf: .*teacher_encoder='FOLDER"):
        distil()
    distil(teacher_encoder=moved)
    train, settings = tiny_split().train, DataSettings()
    (here,) = as_teachers(path, None, train, settings, encoder=moved)
    (there,) = as_teachers(path, None, train, settings)
    assert here.digest() == there.digest() == trained.predictor.digest()
