"""Any text gives equal token ids and probabilities, whatever form answers."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import WORDS, tiny_trained

from emoclf.classifier import Classifier
from emoclf.export.any_format import export_classifier
from emoclf.export.formats import FORMATS
from emoclf.serving import load_exported

KNOWN = st.sampled_from([word for words in WORDS.values() for word in words])
# Lone surrogates too: Python's strings can have them.
ANY = st.text(st.characters(exclude_categories=()), max_size=40)
TEXTS = st.lists(st.lists(KNOWN | ANY, max_size=6).map(" ".join), max_size=20)
BOUNDS = {"litert-int8": 0.05, "folded-int8": 0.05}

WITHOUT = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from emoclf.serving import load_exported
for place in sys.argv[1:]:
    print(*load_exported(place).predict(["a lovely gift"]))
"""

Loaded = dict[str, Classifier]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    place = tmp_path_factory.mktemp("forms")
    predictor = tiny_trained().predictor
    return {
        form: load_exported(export_classifier(predictor, place / form, to=form))
        for form in FORMATS
    }


# A new length makes some runtimes lay out their memory anew.
@settings(max_examples=20, deadline=None)
@given(texts=TEXTS)
def test_any_text(loaded: Loaded, texts: list[str]) -> None:
    predictor = tiny_trained().predictor
    expected = predictor.predict_proba(texts)
    token_ids = [ids.tolist() for ids in predictor.bundle.encoder.encode(texts)]
    for form, exported in loaded.items():
        found = exported.predict_proba(texts)
        assert found.shape == expected.shape
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=BOUNDS.get(form, 1e-5), err_msg=form
        )
        text: Any = getattr(exported, "text", None)
        if text is not None:
            assert [ids.tolist() for ids in text.encode_lists(texts)] == token_ids


def generated(count: int) -> list[str]:
    """Return strings of all that is hard: every plane, marks, both directions."""
    draw = random.Random(0)
    alphabets = [
        [chr(draw.randrange(0x110000)) for _ in range(400)],
        list("aeiou \t\n'’-.,:!?0123456789"),
        [chr(code) for code in range(0x300, 0x330)] + list("aeno "),
        list("👩👨👧👍🏽🏿🇫🇷❤\ufe0f\u200d :-)(<3"),
        list("שלוםعليكم \u200f\u202e"),
        list("我很高兴，真的！ไทยかな "),
        [chr(code) for code in range(0x21)] + ["\x7f", "\x85", "\xa0", "\u2028"],
        [chr(draw.randrange(0xD800, 0xE000)) for _ in range(20)] + ["a", " "],
        [f"{word} " for words in WORDS.values() for word in words],
    ]
    texts = ["", "\ud800", "lovely " * 20_000, "x" * 100_000]
    while len(texts) < count:
        some = draw.choices(alphabets, k=draw.randint(1, 3))
        texts.append("".join(draw.choice(draw.choice(some)) for _ in range(20)))
    return texts


def test_ten_thousand_generated_strings(loaded: Loaded) -> None:
    texts = generated(10_000)
    predictor = tiny_trained().predictor
    expected = predictor.predict_proba(texts)
    flat = np.concatenate(predictor.bundle.encoder.encode(texts))
    for form, exported in loaded.items():
        np.testing.assert_allclose(
            exported.predict_proba(texts),
            expected,
            rtol=0,
            atol=BOUNDS.get(form, 1e-5),
            err_msg=form,
        )
        text: Any = getattr(exported, "text", None)
        if text is not None:
            np.testing.assert_array_equal(text.encode(texts)[0], flat)


def test_a_graph_gives_equal_tokens_and_ids(loaded: Loaded) -> None:
    texts = generated(10_000)
    encoder = tiny_trained().predictor.bundle.encoder
    found = loaded["saved-model"].inspect(texts)  # type: ignore[attr-defined]
    for (tokens, ids), expected, known in zip(
        found, encoder.tokenizer.batch(texts), encoder.encode(texts), strict=True
    ):
        assert tokens == expected
        assert ids == known.tolist()


def test_answers_do_not_depend_on_the_texts_beside(loaded: Loaded) -> None:
    texts = ["a lovely gift", "", "alone in the dark " * 30, "won"]
    for form, exported in loaded.items():
        together = exported.predict_proba(texts)
        alone = np.vstack([exported.predict_proba([text]) for text in texts])
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6, err_msg=form)
        assert exported.predict_proba([]).shape == (0, 3)


def test_most_forms_answer_without_tensorflow(loaded: Loaded) -> None:
    forms = [form for form in FORMATS if form != "saved-model"]
    places: list[Any] = [loaded[form].folder.place for form in forms]  # type: ignore[attr-defined]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, places)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["joy"] * len(forms)


def test_the_folder_of_a_form_holds_all_of_it(loaded: Loaded) -> None:
    for form, exported in loaded.items():
        folder: Any = exported.folder  # type: ignore[attr-defined]
        about = folder.about
        assert about["form"] == form
        assert about["label_names"] == list(exported.label_names)
        there = {
            path.relative_to(folder.place).as_posix()
            for path in Path(folder.place).rglob("*")
            if path.is_file()
        }
        assert there == {*about["files"], "emoclf.json", "sha256sums.txt"}
