"""The folder of an aspect model: saved, loaded, damaged, hostile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_aspects import fitted_tagger, tiny_aspects

from emoclf.aspects.aspect_folder import ASPECTS, FILES
from emoclf.aspects.tagger import AspectTagger
from emoclf.bundle.described_folder import write_sums
from emoclf.errors import BundleError

#: They share a model, whose training takes some seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted_tagger().save(tmp_path_factory.mktemp("saved") / "tiny.aspects")


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy.aspects"
    target.mkdir()
    for file in saved.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_a_loaded_tagger_answers_equally(saved: Path) -> None:
    texts = tiny_aspects().texts
    loaded = AspectTagger.load(saved)
    assert loaded.predict_spans(texts) == fitted_tagger().predict_spans(texts)
    assert loaded.terms_ == fitted_tagger().terms_
    assert loaded.validation_ == fitted_tagger().validation_
    assert sorted(x.name for x in saved.iterdir()) == sorted(
        [*FILES.values(), "sha256sums.txt"]
    )


def test_it_is_not_replaced_unasked(saved: Path) -> None:
    with pytest.raises(BundleError, match=r"exists.*overwrite=True"):
        fitted_tagger().save(saved)
    fitted_tagger().save(saved, overwrite=True)


@pytest.mark.parametrize("name", FILES.values())
def test_damage_is_an_error(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-3] + b"x" + content[-2:])
    with pytest.raises(BundleError, match="damaged"):
        AspectTagger.load(copy)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=r"incomplete|has no aspects.json"):
        AspectTagger.load(copy)


HOSTILE = {
    "newer": ("format", 99, "format 99; emoclf .* reads up to 1"),
    "tags": ("tags", ["O", "B", "X"], "The tags are not those of BIO"),
    "no O": ("tags", ["B", "I"], "The tags are not those of BIO"),
    "huge": ("embedding_shape", [10**9, 10**9], "must have the shape"),
    "alphabet": ("alphabet", [1], "alphabet must be a list of texts"),
    "kind": ("polarity", "yes", "polarity must be true or false"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_crafted_values_are_checked(copy: Path, name: str) -> None:
    key, value, message = HOSTILE[name]
    path = copy / FILES["about"]
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, key: value}))
    write_sums(copy, ASPECTS.files)
    with pytest.raises(BundleError, match=message):
        AspectTagger.load(copy)


def test_crafted_weights_are_checked(copy: Path) -> None:
    path = copy / FILES["weights"]
    with np.load(path) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    name = next(x for x in weights if x.endswith("crf/start"))
    for value, message in (
        (np.array([np.nan, 0, 0], np.float32), "not finite"),
        (np.zeros(7, np.float32), r"must have the shape \(3,\)"),
    ):
        np.savez(path, **{**weights, name: value})
        write_sums(copy, ASPECTS.files)
        with pytest.raises(BundleError, match=message):
            AspectTagger.load(copy)


def test_another_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"does not exist. An aspect model is the"):
        AspectTagger.load(tmp_path / "none")
