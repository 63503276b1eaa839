"""One section of settings: names, types, ranges."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from emoclf.errors import SettingsError
from emoclf.models.text_cnn import TextCNNSettings
from emoclf.settings import DataSettings, TextSettings, TrainSettings


def test_an_unknown_name_is_reported_with_the_nearest() -> None:
    with pytest.raises(
        SettingsError,
        match=r"TextCNNSettings has no setting 'filtres'. Did you mean 'filters'\? "
        r"Known: kernel_sizes, filters",
    ):
        TextCNNSettings.from_dict({"filtres": 3})


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (TrainSettings, {"epochs": 0}, r"'epochs'.* at least 1. Got 0 instead"),
        (TrainSettings, {"epochs": True}, r"a whole number. Got True"),
        (TrainSettings, {"epochs": 2.5}, r"a whole number. Got 2.5"),
        (TrainSettings, {"epochs": "3"}, r"a whole number. Got '3'"),
        (TrainSettings, {"epochs": 10**400}, r"must be a whole number"),
        (TrainSettings, {"learning_rate": -1}, r"above 0. Got -1"),
        (TrainSettings, {"clip_norm": 0}, r"above 0. Got 0"),
        (TextCNNSettings, {"max_norm": 0}, r"above 0. Got 0"),
        (TrainSettings, {"learning_rate": np.inf}, r"a number or left out. Got inf"),
        (TrainSettings, {"learning_rate": np.nan}, r"a number or left out. Got nan"),
        (TrainSettings, {"learning_rate": 10**400}, r"must be a number"),
        (TrainSettings, {"ema": 1}, r"at most 0.99999. Got 1"),
        (TrainSettings, {"monitor": "macro-f1"}, r"did you mean 'macro_f1'\?"),
        (TrainSettings, {"class_weight": 3}, r"a text or a table of names and values"),
        (TextSettings, {"lowercase": 1}, r"true or false. Got 1"),
        (TextSettings, {"stop_words": "the"}, r"a list of texts. Got 'the'"),
        (DataSettings, {"encoding": None}, r"a text. Got None"),
        (DataSettings, {"text_column": 3}, r"a text or left out. Got 3"),
        (TextCNNSettings, {"dropout": 1}, r"at most 0.95"),
        (TextCNNSettings, {"kernel_sizes": 3}, r"a list of whole numbers. Got 3"),
        (TextCNNSettings, {"kernel_sizes": (3, 0)}, r"at least 1"),
        (TextCNNSettings, {"kernel_sizes": ()}, r"one or more different sizes"),
        (TextCNNSettings, {"kernel_sizes": (3, 3)}, r"one or more different sizes"),
    ],
)
def test_a_wrong_value_is_reported(section: type, values: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        section(**values)


def test_numbers_of_a_parameter_grid_are_taken() -> None:
    train = TrainSettings(
        epochs=np.int64(3), learning_rate=np.float32(0.5), clip_norm=Fraction(1, 2)
    )
    assert (train.epochs, train.learning_rate, train.clip_norm) == (3, 0.5, 0.5)
    assert type(train.epochs) is int
    assert TextSettings(lowercase=np.False_).lowercase is False
    assert type(train.learning_rate) is float
    assert TrainSettings(epochs=4.0).epochs == 4
    assert TextCNNSettings(kernel_sizes=np.array([2, 3])).kernel_sizes == (2, 3)


def test_settings_are_equal_by_value_and_frozen() -> None:
    assert TextCNNSettings(kernel_sizes=[1, 2, 3]) == TextCNNSettings()
    with pytest.raises(AttributeError, match="cannot assign"):
        TextCNNSettings().filters = 3  # type: ignore[misc]


def test_every_setting_has_a_help_line() -> None:
    for section in (DataSettings, TextSettings, TrainSettings, TextCNNSettings):
        for field in dataclasses.fields(section):
            assert field.metadata["help"], field.name
