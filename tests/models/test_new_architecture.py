"""A new architecture is one module and one entry of the table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import contracts
import keras
import numpy as np
import pytest
from networks import untrained
from tiny import tiny_settings, tiny_split

from emoclf import Predictor, train_classifier
from emoclf.doctor.model_checks import check_model
from emoclf.models.convolution import zero_padding
from emoclf.models.registry import ARCHITECTURES, Architecture, descriptions_table
from emoclf.models.tensors import Tensor
from emoclf.settings.base import Settings, option

README = Path(__file__).parents[2] / "README.md"


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """Settings of a dense layer for each token, summed over the text."""

    width: int = option(20, "units of the dense layer", low=1)
    dropout: float = option(0.1, "dropout before the head", low=0.0, high=0.95)

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        dense = keras.layers.Dense(self.width, activation="relu", name="dense")
        total = keras.ops.sum(zero_padding(dense(embedded), mask), axis=1)
        return keras.layers.Dropout(self.dropout, name="dropout")(total)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("toy_architecture")
    vars(module).update(ToySettings=ToySettings)
    entry = Architecture("toy_architecture:ToySettings", "a toy", tiny={"width": 8})
    monkeypatch.setitem(sys.modules, "toy_architecture", module)
    monkeypatch.setitem(ARCHITECTURES, "toy", entry)
    yield
    # Its settings are not known to later tests.
    contracts.shared.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize(
    "contract", [*contracts.CONTRACTS, *contracts.TRAINED_CONTRACTS]
)
def test_it_is_held_to_all_contracts(contract: Callable) -> None:
    contract(contracts.settings_for("toy", "non-static"))


@pytest.mark.slow
def test_it_is_trained_saved_loaded_and_predicts(tmp_path: Path) -> None:
    split = tiny_split()
    settings = tiny_settings().override(architecture="toy", width=12)
    trained = train_classifier(split.train, split.valid, settings)
    assert check_model(trained.predictor.bundle.model) == []
    assert split.test is not None
    texts = list(split.test.texts)
    probabilities = trained.predictor.predict_proba(texts)
    predicted = np.array(trained.predictor.predict(texts))
    assert (predicted == np.array(split.test.labels)).mean() > 0.8
    trained.predictor.save(tmp_path / "toy.emoclf")
    loaded = Predictor.load(tmp_path / "toy.emoclf")
    assert loaded.bundle.settings == trained.bundle.settings
    np.testing.assert_array_equal(loaded.predict_proba(texts), probabilities)


def test_tests_of_other_rooms_can_build_it() -> None:
    assert untrained("toy").predict_proba(["a text"]).shape == (1, 3)


def test_it_is_listed_with_its_description() -> None:
    assert descriptions_table().splitlines()[-1] == "| `toy` | a toy |"


def test_the_readme_lists_all_architectures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ARCHITECTURES, "toy")
    assert descriptions_table() in README.read_text(encoding="utf-8")
