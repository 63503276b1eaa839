"""All sections of a run: from flat names, tables and TOML, and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emoclf.errors import SettingsError
from emoclf.models import ARCHITECTURES
from emoclf.models.text_cnn import TextCNNSettings
from emoclf.settings import RunSettings, TrainSettings, read_settings_file
from emoclf.settings.run_settings import section_classes

DIFFERENT = {
    "seed": 7,
    "kernel_sizes": (2,),
    "max_norm": None,
    "clip_norm": None,
    "ema": 0.9,
    "class_weight": {"joy": np.int64(2), "fear": np.float32(0.5)},
    "label_names": {0: "fear", 1: "joy"},
    "stop_words": ("the", "ä"),
    "label_separator": "none",
}


def test_flat_names_find_their_sections() -> None:
    flat = RunSettings.from_flat(filters=7, epochs=3, embedding="static", seed=5)
    tables = RunSettings.from_dict(
        {
            "seed": 5,
            "model": {"filters": 7},
            "training": {"epochs": 3},
            "embedding": {"embedding": "static"},
        }
    )
    assert flat == tables
    assert (flat.model.filters, flat.training.epochs) == (7, 3)


def test_a_flat_name_wins_over_its_section() -> None:
    settings = RunSettings.from_dict(
        {"epochs": 3, "training": {"epochs": 5, "ema": 0.5}}
    )
    assert (settings.training.epochs, settings.training.ema) == (3, 0.5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_flat_name_belongs_to_one_section(architecture: str) -> None:
    sections = section_classes(architecture).values()
    names = [name for section in sections for name in section.names()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("flat", [{}, DIFFERENT], ids=["defaults", "all different"])
def test_toml_and_json_give_the_same_settings_back(flat: dict) -> None:
    settings = RunSettings.from_flat(**flat)
    assert RunSettings.from_toml(settings.to_toml()) == settings
    assert RunSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert settings.override() == settings


def test_none_differs_from_the_default() -> None:
    off = RunSettings.from_flat(clip_norm=None, max_norm="none")
    assert off.to_dict() != RunSettings().to_dict()
    again = off.override(seed=1)
    assert again.training.clip_norm is None
    assert again.model.max_norm is None


def test_override_replaces_and_keeps() -> None:
    settings = RunSettings.from_flat(filters=7, epochs=3).override(epochs=9)
    assert (settings.model.filters, settings.training.epochs) == (7, 9)
    section = settings.replace(training=TrainSettings(epochs=2))
    assert (section.model.filters, section.training.epochs) == (7, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"filtres": 3}, r"no setting 'filtres'. Did you mean 'filters'\?"),
        ({"architecture": "text_cn"}, r"Did you mean 'text_cnn'\?"),
        ({"architecture": ["text_cnn"]}, r"no architecture \['text_cnn'\]"),
        ({"training": 3}, r"'training' is a section .* for instance training.epochs"),
        ({"training": {"epoch": 3}}, r"TrainSettings has no setting 'epoch'"),
        *(
            ({"seed": seed}, r"The seed must be a whole number from 0 to 4294967295")
            for seed in (-1, 2**32, True, 1.5, "7", None)
        ),
    ],
)
def test_wrong_settings_are_reported(values: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        RunSettings.from_dict(values)


def test_a_section_of_another_class_is_reported() -> None:
    with pytest.raises(
        SettingsError, match=r"takes TextCNNSettings. Got TrainSettings"
    ):
        RunSettings(model=TrainSettings())
    assert RunSettings(model=TextCNNSettings(filters=2)).model.filters == 2


def test_a_seed_of_numpy_is_an_int() -> None:
    assert type(RunSettings(seed=np.int64(3)).seed) is int  # type: ignore[arg-type]


def test_settings_files(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 3\n[training]\nepochs = 4\n", encoding="utf-8")
    settings = RunSettings.from_dict(read_settings_file(path))
    assert (settings.seed, settings.training.epochs) == (3, 4)
    path.write_text("seed = ", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"run.toml is not valid TOML"):
        read_settings_file(path)
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(SettingsError, match=r"Cannot read the settings file"):
        read_settings_file(path)
    with pytest.raises(SettingsError, match=r"Cannot read .*missing.toml"):
        read_settings_file(tmp_path / "missing.toml")


def test_the_name_of_a_section_may_be_a_setting_as_well() -> None:
    settings = RunSettings.from_flat(dim=7, vectors="v.bin")
    static = settings.override(embedding="static").embedding
    assert (static.embedding, static.dim, static.vectors) == ("static", 7, "v.bin")
    merged = RunSettings.from_dict({"embedding": {"dim": 7}}, {"embedding": "random"})
    assert (merged.embedding.dim, merged.embedding.embedding) == (7, "random")
