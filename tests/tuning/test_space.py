"""Search spaces: what is packaged, and the way from a space to settings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras_tuner
import pytest
from keras_tuner.oracles import RandomSearchOracle

from emoclf.errors import SearchError
from emoclf.models.build import embedding_mode
from emoclf.models.registry import ARCHITECTURES
from emoclf.settings import RunSettings
from emoclf.tuning.space.dimension import Choices, Range, settings_of
from emoclf.tuning.space.space import FOLDER, Space, effective_value

SAMPLES = 100
VECTORS = (None, "vectors.txt")
PACKAGED = sorted(path.stem for path in FOLDER.glob("*.toml"))
# What is said outright in a trial, where the settings given leave it to what suits.
EXPLICIT = ("batch_size", "dim", "learning_rate", "embedding", "bigram_buckets")


def space_of(toml: str, architecture: str = "text_cnn", *, folder: Path) -> Space:
    path = folder / "mine.toml"
    path.write_text(toml, encoding="utf-8")
    return Space.load(architecture, path)


def samples(space: Space, settings: RunSettings, count: int = SAMPLES) -> list[dict]:
    """Draw trials as keras-tuner's random search does."""
    oracle = RandomSearchOracle(
        objective=keras_tuner.Objective("x", "max"),
        max_trials=count,
        hyperparameters=space.hyperparameters(settings),
        seed=1,
    )
    return [oracle._random_values() for _ in range(count)]


def at_the_end(space: Space, settings: RunSettings, share: float) -> dict[str, Any]:
    """Take every value from one end, where a model of the scores likes to go."""
    hp = space.hyperparameters(settings)
    return {one.name: one.prob_to_value(share) for one in hp.space}


def first(space: Space, settings: RunSettings) -> RunSettings:
    hp = space.hyperparameters(settings)
    return space.settings(settings, hp.values, seed=settings.seed)


def assert_the_same(trial: RunSettings, given: RunSettings) -> None:
    for name, value in given.flat().items():
        wanted = effective_value(given, name) if name in EXPLICIT else value
        assert effective_value(trial, name) == wanted, name
        if name not in EXPLICIT:
            assert trial.flat()[name] == value, name
    assert (trial.architecture, trial.seed) == (given.architecture, given.seed)


# Packaged spaces


def test_every_space_has_an_architecture() -> None:
    assert set(PACKAGED) <= set(ARCHITECTURES)
    assert len(PACKAGED) >= 7


def test_an_architecture_without_a_space_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "toy", ARCHITECTURES["text_cnn"])
    with pytest.raises(
        SearchError, match=r"no built-in .* 'toy'\. Give a search space"
    ):
        Space.load("toy")


@pytest.mark.parametrize("vectors", VECTORS)
@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_space_begins_with_the_given_settings(
    name: str, vectors: str | None
) -> None:
    given = RunSettings.from_flat(architecture=name, vectors=vectors, seed=5)
    assert_the_same(first(Space.load(name), given), given)


@pytest.mark.slow
@pytest.mark.parametrize("vectors", VECTORS)
@pytest.mark.parametrize("name", PACKAGED)
def test_all_that_is_drawn_is_settings(name: str, vectors: str | None) -> None:
    space = Space.load(name)
    given = RunSettings.from_flat(architecture=name, vectors=vectors)
    around = space.for_settings(given)
    assert 5 <= len(around.names()) <= 8
    seen: dict[str, set] = {key: set() for key in around.names()}
    for values in samples(space, given):
        decoded = space.decode(values)
        assert json.loads(json.dumps(decoded)) == decoded
        trial = space.settings(given, values, seed=3)
        assert trial.seed == 3
        for key, value in trial.flat().items():
            if key in decoded:
                seen[key].add(value)
                assert value == (
                    tuple(decoded[key])
                    if isinstance(decoded[key], list)
                    else decoded[key]
                )
            else:
                assert value == given.flat()[key]
    for dimension in around.dimensions:
        # Every choice and every step is drawn sooner or later.
        shape = dimension.shape
        if isinstance(shape, Choices):
            assert seen[dimension.name] == set(shape.values)
        elif isinstance(shape, Range) and shape.step is not None:
            assert seen[dimension.name] == set(shape.grid())
        else:
            assert len(seen[dimension.name]) > 2, dimension.name


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("name", PACKAGED)
def test_the_ends_of_every_range_are_settings(name: str, share: float) -> None:
    given = RunSettings.from_flat(architecture=name)
    space = Space.load(name)
    trial = space.settings(given, at_the_end(space, given, share), seed=0).flat()
    for dimension in space.for_settings(given).dimensions:
        if isinstance(dimension.shape, Range):
            low, high = dimension.shape.low, dimension.shape.high
            assert low * 0.999999 <= trial[dimension.name] <= high * 1.000001


def test_vectors_decide_what_the_embedding_is_searched_for() -> None:
    space = Space.load("text_cnn")
    bare = space.for_settings(RunSettings())
    given = space.for_settings(RunSettings.from_flat(vectors="v.txt"))
    assert "dim" in bare.names()
    assert "embedding" not in bare.names()
    assert "embedding" in given.names()
    assert "dim" not in given.names()
    assert {"dim", "embedding"} <= set(space.names())


@pytest.mark.parametrize("vectors", VECTORS)
def test_the_embedding_in_force_is_what_is_built(vectors: str | None) -> None:
    for wanted in (None, "random"):
        settings = RunSettings.from_flat(vectors=vectors, embedding=wanted)
        assert effective_value(settings, "embedding") == embedding_mode(settings)


@pytest.mark.parametrize("name", PACKAGED)
def test_a_space_is_read_again_from_what_it_tells(name: str) -> None:
    given = RunSettings.from_flat(architecture=name, batch_size=7, dropout=0.33)
    for space in (Space.load(name), Space.load(name).for_settings(given)):
        told = json.loads(json.dumps(space.to_dict()))
        assert Space.from_dict(name, told, name="again") == space
        assert list(told) == space.names()


def test_reading_a_space_takes_no_keras() -> None:
    code = (
        "import sys; from emoclf.tuning.space.space import Space;"
        "Space.load('text_cnn');"
        "print(*({'keras', 'keras_tuner', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


# The settings that are given come first, wherever they are

GIVEN: list[dict[str, Any]] = [
    {"filters": 8, "kernel_sizes": (1, 2), "dim": 12, "learning_rate": 0.02},
    {"kernel_sizes": (5, 3, 9), "filters": 4096, "dropout": 0.95, "batch_size": 1},
    {"kernel_sizes": (30,), "dropout": 0.25, "max_norm": 2.5, "activation": "elu"},
    {"kernel_sizes": (2, 3, 4, 5), "max_norm": None, "optimizer": "adadelta"},
    {"vectors": "v", "embedding": "random", "learning_rate": 1e-9, "filters": 101},
]


@pytest.mark.parametrize("flat", GIVEN, ids=str)
def test_the_first_trial_is_what_was_given_and_the_others_are_settings(
    flat: dict[str, Any],
) -> None:
    given, space = RunSettings.from_flat(**flat), Space.load("text_cnn")
    assert_the_same(first(space, given), given)
    around = space.for_settings(given)
    assert around.for_settings(given) == around
    assert_the_same(first(around, given), given)
    for values in samples(space, given, 20):
        trial = space.settings(given, values, seed=0)
        assert around.settings(given, values, seed=0) == trial


def test_what_is_given_is_added_in_its_place() -> None:
    given = RunSettings.from_flat(filters=101, batch_size=30, learning_rate=0.02)
    tables = Space.load("text_cnn").for_settings(given).to_dict()
    assert tables["filters"] == {"choices": [50, 100, 101, 150, 200, 250, 300]}
    assert tables["batch_size"] == {"choices": [25, 30, 50, 100]}
    assert tables["learning_rate"] == {"low": 2e-4, "high": 0.02, "log": True}
    assert tables["dropout"] == {"low": 0.0, "high": 0.6, "step": 0.1}


def test_every_optimizer_brings_its_own_rate() -> None:
    space = Space.load("text_cnn")
    hp = space.hyperparameters(RunSettings.from_flat(optimizer="sgd"))
    assert hp.values["learning_rate"] == 0.1
    assert max(v["learning_rate"] for v in samples(space, RunSettings())) < 5e-3


# Shapes


def test_steps_end_where_they_were_told_to(tmp_path: Path) -> None:
    # keras-tuner's own steps of 0.1 from 0 to 0.5 end at 0.4.
    space = space_of("[dropout]\nlow = 0\nhigh = 0.5\nstep = 0.1", folder=tmp_path)
    found = {space.decode(v)["dropout"] for v in samples(space, RunSettings(), 60)}
    assert found == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5}


def test_steps_of_a_logarithm_multiply(tmp_path: Path) -> None:
    toml = "[filters]\nlow = 32\nhigh = 300\nstep = 2\nlog = true"
    space = space_of(toml, folder=tmp_path)
    given = RunSettings.from_flat(filters=64)
    found = {space.decode(v)["filters"] for v in samples(space, given, 60)}
    assert found == {32, 64, 128, 256}


def test_whole_numbers_stay_whole_and_within_the_range(tmp_path: Path) -> None:
    toml = "[filters]\nlow = 60\nhigh = 64\nlog = true\n[batch_size]\nlow=49\nhigh=51"
    space = space_of(toml, folder=tmp_path)
    given = RunSettings.from_flat(filters=61)
    drawn = [*samples(space, given, 100), at_the_end(space, given, 1.0)]
    decoded = [space.decode(values) for values in drawn]
    assert {d["filters"] for d in decoded} == {60, 61, 62, 63, 64}
    assert {d["batch_size"] for d in decoded} == {49, 50, 51}
    assert {type(value) for d in decoded for value in d.values()} == {int}


def test_choices_may_be_lists_truth_values_and_none(tmp_path: Path) -> None:
    toml = """
    [kernel_sizes]
    choices = [[1, 2, 3], [2, 3]]
    [batch_norm]
    choices = [false, true]
    [max_length]
    choices = [16, "none"]
    [class_weight]
    choices = ["none", "balanced"]
    [max_norm]
    choices = [3, 5]
    """
    space = space_of(toml, folder=tmp_path)
    assert_the_same(first(space, RunSettings()), RunSettings())
    found = [space.decode(v) for v in samples(space, RunSettings(), 32)]

    def seen(name: str) -> list[Any]:
        return sorted({json.dumps(one[name]) for one in found})

    assert seen("kernel_sizes") == ["[1, 2, 3]", "[2, 3]"]
    assert seen("batch_norm") == ["false", "true"]
    assert seen("max_length") == ["16", "null"]
    assert seen("class_weight") == ['"balanced"', "null"]
    # Numbers of a TOML that knows whole ones.
    assert seen("max_norm") == ["3.0", "5.0"]


def test_a_centre_and_patterns_make_sizes(tmp_path: Path) -> None:
    toml = """
    [kernel_sizes]
    centre = { low = 1, high = 2 }
    patterns = [[0], [-1, 0], [0, 29]]
    """
    space = space_of(toml, folder=tmp_path)
    given = RunSettings.from_flat(kernel_sizes=[1])
    hp = space.hyperparameters(given)
    assert [one.name for one in hp.space] == [
        "kernel_sizes.centre",
        "kernel_sizes.pattern",
    ]
    centre, pattern = hp.space
    every = [
        {centre.name: size, pattern.name: around}
        for size in centre.values
        for around in pattern.values
    ]
    found = {tuple(space.decode(values)["kernel_sizes"]) for values in every}
    # 0 and 31 are no sizes, and are left out.
    assert found == {(1,), (2,), (1, 2), (1, 30)}
    assert space.names() == ["kernel_sizes"]
    listed = "[kernel_sizes]\ncentre = {choices = [1, 5]}\npatterns = [[0]]"
    table = space_of(listed, folder=tmp_path).to_dict()
    assert table["kernel_sizes"]["centre"] == {"choices": [1, 5]}


# Conditions

CONDITIONAL = """
[optimizer]
choices = ["adam", "adamw", "sgd"]
[schedule]
choices = ["constant", "cosine"]
when = { optimizer = ["adamw"] }
[weight_decay]
low = 1e-4
high = 1e-1
log = true
when = { schedule = ["cosine"] }
"""


def test_conditions_hold_also_on_conditional_settings(tmp_path: Path) -> None:
    space = space_of(CONDITIONAL, folder=tmp_path)
    seen = set()
    given = RunSettings.from_flat(weight_decay=0.5)
    for values in samples(space, given, 60):
        decoded = space.decode(values)
        assert set(decoded) == set(values)
        assert ("schedule" in decoded) == (decoded["optimizer"] == "adamw")
        assert ("weight_decay" in decoded) == (decoded.get("schedule") == "cosine")
        seen.add(tuple(decoded))
        trial = space.settings(given, values, seed=0)
        if "weight_decay" not in decoded:
            assert trial.training.weight_decay == 0.5
    assert len(seen) == 3


def test_values_whose_condition_does_not_hold_are_left_out(tmp_path: Path) -> None:
    space = space_of(CONDITIONAL, folder=tmp_path)
    hp = space.hyperparameters(RunSettings())
    assert hp.values == {"optimizer": "adam"}
    # keras-tuner's searches say every default in their first trial.
    everything = {one.name: one.default for one in hp.space}
    assert set(everything) == {"optimizer", "schedule", "weight_decay"}
    assert space.decode(everything) == {"optimizer": "adam"}
    # Hyperband says how far a trial goes among its values.
    assert space.decode({**everything, "tuner/epochs": 3}) == {"optimizer": "adam"}
    everything["optimizer"] = "adamw"
    assert list(space.decode(everything)) == ["optimizer", "schedule"]


def test_a_condition_asks_for_values_as_settings_spell_them() -> None:
    tables: dict[str, Any] = {
        "batch_norm": {"choices": [False, True]},
        "hidden": {"choices": ["none", 50], "when": {"batch_norm": [True]}},
    }
    space = Space.from_dict("text_cnn", tables, name="mine")
    for values in samples(space, RunSettings(), 4):
        decoded = space.decode(values)
        assert ("hidden" in decoded) == decoded["batch_norm"]
    tables["hidden"]["when"] = {"batch_norm": ["true"]}
    with pytest.raises(SearchError, match=r"must be true or false\. Got 'true'"):
        Space.from_dict("text_cnn", tables, name="mine")


def test_a_condition_on_a_dropped_setting_goes_by_the_value_in_force() -> None:
    def searched(wanted: str, **flat: object) -> list[str]:
        tables = {
            "embedding": {"choices": ["random", "static"], "needs": "vectors"},
            "dropout": {"low": 0.1, "high": 0.5, "when": {"embedding": [wanted]}},
            "filters": {"low": 50, "high": 100},
        }
        space = Space.from_dict("text_cnn", tables, name="mine")
        around = space.for_settings(RunSettings.from_flat(**flat))
        values = samples(space, RunSettings.from_flat(**flat), 8)
        drawn = [set(space.decode(one)) for one in values]
        assert set().union(*drawn) == set(around.names())
        return [name for name in around.names() if all(name in one for one in drawn)]

    assert searched("static") == ["filters"]
    assert searched("random") == ["dropout", "filters"]
    assert searched("static", vectors="v") == ["embedding", "filters"]


def test_the_width_of_a_drawn_embedding_can_be_searched_beside_vectors() -> None:
    tables = {
        "embedding": {"choices": ["random", "static"], "needs": "vectors"},
        "dim": {"choices": [50, 100], "when": {"embedding": ["random"]}},
    }
    space = Space.from_dict("text_cnn", tables, name="mine")
    given = RunSettings.from_flat(vectors="v")
    for values in samples(space, given, 6):
        decoded = space.decode(values)
        assert ("dim" in decoded) == (decoded["embedding"] == "random")


def test_every_section_but_the_data_can_be_searched() -> None:
    for name in ARCHITECTURES:
        known = settings_of(name)
        run = RunSettings.from_flat(architecture=name)
        assert set(known) == set(run.flat()) - set(run.data.names())
