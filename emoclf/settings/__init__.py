"""Frozen dataclasses of every setting; wrong names and values say what is right."""

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
