"""Mistakes in a search space's file, each with its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emoclf.errors import SearchError
from emoclf.settings import RunSettings
from emoclf.tuning.space.space import Space

RATE = "[learning_rate]\n"
MISTAKES = {
    # keys
    "[filter]\nlow = 1\nhigh = 2": r"\[filter\]: text_cnn has no setting 'filter'\. "
    r"Did you mean 'filters'\? What can be searched: .*kernel_sizes",
    "[units]\nlow = 1\nhigh = 2": "text_cnn has no setting 'units'",
    "[seed]\nlow = 1\nhigh = 2": "'seed' cannot be searched, because each trial",
    "[vectors]\nchoices = ['a', 'b']": "share one file of vectors",
    "[tokenizer]\nchoices = ['words', 'jieba']": "all trials have the same tokens",
    "[valid_fraction]\nlow = 0.1\nhigh = 0.2": "all trials have the same texts",
    "[monitor]\nchoices = ['loss', 'accuracy']": "it chooses the epoch",
    "filters = 3": r"\[filters\]: this must be a table, .* Got 3 instead",
    # words
    "[filters]\nlo = 1\nhigh = 2": r"no key 'lo'\. Did you mean 'low'\?",
    "[filters]\nneeds = 'vectors'": "no values were given",
    "[filters]": r"no values were given\. Got {}",
    "[filters]\nlow = 1": "high is missing",
    "[filters]\nstep = 1": "low is missing",
    "[filters]\nlow = 1\nhigh = 5\nchoices = [1, 2]": "low and choices do not go",
    "[filters]\nchoices = [1, 2]\nlog = true": "log and choices do not go together",
    "[filters]\nlow = 1\nhigh = 9\nneeds = 'vector'": "Did you mean 'vectors'?",
    "[filters]\nlow = 1\nhigh = 9\nneeds = 3": "needs must be .* Got 3 instead",
    # ranges
    "[filters]\nlow = 9\nhigh = 2": "low must be below high. Got low = 9 and high = 2",
    "[filters]\nlow = 9\nhigh = 9": "low must be below high",
    "[filters]\nlow = 1.5\nhigh = 9": r"must be a whole number\. Got 1\.5",
    "[filters]\nlow = '1'\nhigh = 9": "low must be a number. Got '1'",
    "[filters]\nlow = true\nhigh = 9": "low must be a number. Got True",
    "[dropout]\nlow = 0.1\nhigh = nan": "high must be a number. Got nan",
    "[dropout]\nlow = 0.1\nhigh = inf": "high must be a number. Got inf",
    f"[batch_size]\nlow = 1\nhigh = 1{'0' * 400}": "high must be a number",
    "[filters]\nlow = 0\nhigh = 9": "'filters' .* must be at least 1. Got 0",
    "[dropout]\nlow = 0.1\nhigh = 1.5": "'dropout' .* must be at most 0.95. Got 1.5",
    f"{RATE}low = 0\nhigh = 1": "'learning_rate' .* must be above 0",
    "[weight_decay]\nlow = 0\nhigh = 1\nlog = true": "log must begin above 0",
    "[filters]\nlow = 1\nhigh = 9\nlog = 'yes'": "log must be true or false. Got 'yes'",
    "[filters]\nlow = 1\nhigh = 9\nstep = 0": "step must be above 0. Got 0",
    "[filters]\nlow = 1\nhigh = 9\nstep = -1": "step must be above 0. Got -1",
    "[filters]\nlow = 1\nhigh = 9\nstep = 'a'": "step must be a number. Got 'a'",
    "[filters]\nlow = 1\nhigh = 9\nstep = 0.5": "step must be a whole number",
    "[filters]\nlow = 1\nhigh = 9\nstep = 10": "first step is already past high",
    "[filters]\nlow = 1\nhigh = 9\nstep = 1\nlog = true": "step must be above 1, since",
    "[dropout]\nlow = 0.1\nhigh = 0.5\nstep = 1e-9": "more than 1000 steps",
    "[activation]\nlow = 1\nhigh = 2": r"activation is not a number.*Write choices",
    "[kernel_sizes]\nlow = 1\nhigh = 2": "kernel_sizes is not a number",
    # choices
    "[filters]\nchoices = []": "choices must have 2 values or more",
    "[filters]\nchoices = [3]": r"choices must have 2 values or more. Got \[3\]",
    "[filters]\nchoices = 3": "choices must be a list. Got 3",
    "[filters]\nchoices = '34'": "choices must be a list. Got '34'",
    "[filters]\nchoices = [3, 4, 3]": r"choices has 3 twice. Got \[3, 4, 3\]",
    "[dropout]\nchoices = [0, 0.0]": "choices has 0.0 twice",
    "[filters]\nchoices = [3, 'none']": "must be a whole number. Got 'none'",
    "[filters]\nchoices = [3, 1979-05-27]": "must be a whole number. Got datetime",
    "[activation]\nchoices = ['relu', 'tan']": r"did you mean 'tanh'\?.*Got 'tan'",
    "[batch_norm]\nchoices = [0, 1]": "must be true or false. Got 0",
    "[kernel_sizes]\nchoices = [[3], [3, 3]]": r"different sizes. Got \(3, 3\)",
    "[kernel_sizes]\nchoices = [3, 4]": "must be a list of whole numbers. Got 3",
    "[class_weight]\nchoices = ['none', {joy = 2}]": "a table cannot be searched",
    # sizes
    "[kernel_sizes]\ncentre = {low = 2, high = 3}": "patterns must be a list. Got None",
    "[kernel_sizes]\npatterns = [[0], [0, 1]]": "centre must be .* Got None instead",
    "[kernel_sizes]\ncentre = {low = 2}\npatterns = [[0]]": "centre must be {",
    "[kernel_sizes]\ncentre = {low = 2, high = 1}\npatterns = [[0]]": "low is above",
    "[kernel_sizes]\ncentre = {low = 0, high = 1}\npatterns = [[0]]": "at least 1",
    "[kernel_sizes]\ncentre = {low = 1, high = 99}\npatterns = [[0]]": "at most 30",
    "[kernel_sizes]\ncentre = {low = 'a', high = 2}\npatterns = [[0]]": "be a whole",
    "[kernel_sizes]\ncentre = {low = 2, high = 3}\npatterns = [[1]]": "with 0",
    "[kernel_sizes]\ncentre = {low = 2, high = 3}\npatterns = [[0, 0]]": "different",
    "[kernel_sizes]\ncentre = {low = 2, high = 3}\npatterns = [0]": "Got 0 instead",
    "[kernel_sizes]\ncentre = {low = 2, high = 3}\npatterns = [['a', 0]]": "whole",
    "[kernel_sizes]\ncentre = {low = 2, high = 3}\npatterns = [[0], [0]]": "twice",
    "[kernel_sizes]\ncentre = {low = 2, high = 2}\npatterns = [[0]]": "one set of",
    "[filters]\ncentre = {low = 2, high = 3}\npatterns = [[0]]": "for kernel_sizes",
    # conditions
    "[weight_decay]\nlow = 0.1\nhigh = 0.2\nwhen = {optimizer = ['adamw']}": "names "
    "'optimizer', which is not searched. Add a table",
    "[weight_decay]\nlow = 0.1\nhigh = 0.2\nwhen = {optimizer = ['adamw']}\n"
    "[optimizer]\nchoices = ['adam', 'adamw']": r"comes later in the file. Move "
    r"\[optimizer\] before \[weight_decay\]",
    "[optimizer]\nchoices = ['adam', 'adamw']\n[weight_decay]\nlow = 0.1\nhigh = 0.2\n"
    "when = {optimizer = ['sgd']}": "optimizer = 'sgd', which is not searched. .*Known",
    "[optimizer]\nchoices = ['adam', 'adamw']\n[weight_decay]\nlow = 0.1\nhigh = 0.2\n"
    "when = {optimiser = ['adam']}": "Did you mean 'optimizer'?",
    "[optimizer]\nchoices = ['adam', 'adamw']\n[weight_decay]\nlow = 0.1\nhigh = 0.2\n"
    "when = {optimizer = 'adam'}": "a list of values of 'optimizer'. Got 'adam'",
    "[optimizer]\nchoices = ['adam', 'adamw']\n[weight_decay]\nlow = 0.1\nhigh = 0.2\n"
    "when = {optimizer = [3]}": "'optimizer' of TrainSettings must be a text. Got 3",
    "[optimizer]\nchoices = ['adam', 'adamw']\n[weight_decay]\nlow = 0.1\nhigh = 0.2\n"
    "when = 'adamw'": "when must be one setting and a list .* Got 'adamw'",
    "[filters]\nlow = 1\nhigh = 9\n[dropout]\nlow = 0.1\nhigh = 0.2\n"
    "when = {filters = [3]}": "'filters', which is not searched by choices",
    "[filters]\nlow = 1\nhigh = 9\nwhen = {filters = [3]}": "'filters' itself",
    # documents
    "[filters": "is not valid TOML",
    "": "has nothing to search",
    "# nothing yet": "has nothing to search",
}


@pytest.mark.parametrize(
    "toml", MISTAKES, ids=lambda toml: toml[:60].replace("\n", ";")
)
def test_a_mistake_says_where_it_is_and_what_is_right(
    toml: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(SearchError, match=MISTAKES[toml]) as caught:
        Space.load("text_cnn", path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match=r"Cannot read the search space .*no\.toml"):
        Space.load("text_cnn", tmp_path / "no.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SearchError, match=r"Cannot read .*bytes\.toml: .*utf-8"):
        Space.load("text_cnn", str(tmp_path / "bytes.toml"))
    with pytest.raises(SearchError, match="Cannot read"):
        Space.load("text_cnn", tmp_path)


UNFIT: list[tuple[str, dict[str, Any], str]] = [
    (
        "[max_length]\nlow = 10\nhigh = 50",
        {},
        r"range cannot contain None. Got max_length",
    ),
    (
        "[weight_decay]\nlow = 0.1\nhigh = 1\nlog = true",
        {"weight_decay": 0},
        "log cannot contain 0.0",
    ),
    (
        "[class_weight]\nchoices = ['none', 'balanced']",
        {"class_weight": {"joy": 2}},
        "a table cannot be searched. Got class_weight = {'joy': 2}",
    ),
    ("[embedding]\nchoices = ['random', 'static']", {}, 'Write needs = "vectors"'),
    ("[vector_words]\nchoices = [0, 'none']", {}, 'Write needs = "vectors"'),
    ("[dim]\nchoices = [5, 10]", {"vectors": "v"}, 'Write needs = "no vectors"'),
    (
        "[dim]\nchoices = [5, 10]\nneeds = 'no vectors'",
        {"vectors": "v"},
        "leaves nothing to search with vectors. Got tables for dim",
    ),
    ("[filters]\nlow = 1\nhigh = 9", {"architecture": "bilstm"}, "space of text_cnn"),
]


@pytest.mark.parametrize(("toml", "flat", "message"), UNFIT)
def test_settings_that_have_no_place_in_a_space(
    toml: str, flat: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(toml, encoding="utf-8")
    space = Space.load("text_cnn", path)
    with pytest.raises(SearchError, match=message) as caught:
        space.hyperparameters(RunSettings.from_flat(**flat))
    assert str(path) in str(caught.value)
