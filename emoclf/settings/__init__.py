"""Frozen dataclasses of all settings, with checks of names and values."""

from emoclf.settings.base import Settings, option
from emoclf.settings.run_settings import RunSettings, read_settings_file
from emoclf.settings.sections import (
    DataSettings,
    EmbeddingSettings,
    TextSettings,
    TrainSettings,
)

__all__ = [
    "DataSettings",
    "EmbeddingSettings",
    "RunSettings",
    "Settings",
    "TextSettings",
    "TrainSettings",
    "option",
    "read_settings_file",
]
