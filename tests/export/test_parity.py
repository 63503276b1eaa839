"""Any text gives equal token ids and probabilities in all export formats.

Covers all readers of emoclf/serving and emoclf/folded, and emoclf/export/parity.py.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import WORDS, tiny_trained

from emoclf.classifier import Classifier
from emoclf.export.formats import FORMATS
from emoclf.serving import load_exported

pytestmark = pytest.mark.slow

KNOWN_WORDS = st.sampled_from([word for words in WORDS.values() for word in words])
# Lone surrogates too: Python's strings can have them.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
TEXTS = st.lists(
    st.lists(KNOWN_WORDS | ANY_TEXT, max_size=6).map(" ".join), max_size=20
)
#: Largest difference of a probability in exact and in rounded formats.
EXACT, ROUNDED = 1e-5, 0.05

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from emoclf.serving import load_exported
for place in sys.argv[1:]:
    print(*load_exported(place).predict(["a lovely gift"]))
"""

Loaded = dict[str, Classifier]


@pytest.fixture(scope="module")
def loaded(tiny_export: Callable[[str], Path]) -> Loaded:
    return {name: load_exported(tiny_export(name)) for name in FORMATS}


def check_probabilities(actual: np.ndarray, expected: np.ndarray, name: str) -> None:
    bound = ROUNDED if FORMATS[name].is_rounded else EXACT
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=bound, err_msg=name)


# Some runtimes allocate their memory again for a new length, hence no deadline.
@settings(max_examples=20, deadline=None)
@given(texts=TEXTS)
def test_any_text(loaded: Loaded, texts: list[str]) -> None:
    predictor = tiny_trained().predictor
    expected = predictor.predict_proba(texts)
    token_ids = [ids.tolist() for ids in predictor.bundle.encoder.encode(texts)]
    for name, exported in loaded.items():
        check_probabilities(exported.predict_proba(texts), expected, name)
        text: Any = getattr(exported, "text", None)
        if text is not None:
            assert [ids.tolist() for ids in text.encode_lists(texts)] == token_ids


def generated(count: int) -> list[str]:
    """Return hard strings: every plane of Unicode, marks, both directions, …"""
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
        chosen = draw.choices(alphabets, k=draw.randint(1, 3))
        texts.append("".join(draw.choice(draw.choice(chosen)) for _ in range(20)))
    return texts


def test_ten_thousand_generated_strings(loaded: Loaded) -> None:
    texts = generated(10_000)
    predictor = tiny_trained().predictor
    expected = predictor.predict_proba(texts)
    flat = np.concatenate(predictor.bundle.encoder.encode(texts))
    for name, exported in loaded.items():
        check_probabilities(exported.predict_proba(texts), expected, name)
        text: Any = getattr(exported, "text", None)
        if text is not None:
            np.testing.assert_array_equal(text.encode(texts)[0], flat)


def test_a_graph_gives_equal_tokens_and_ids(loaded: Loaded) -> None:
    texts = generated(10_000)
    encoder = tiny_trained().predictor.bundle.encoder
    inspected = loaded["saved-model"].inspect(texts)  # type: ignore[attr-defined]
    for (tokens, ids), expected_tokens, expected_ids in zip(
        inspected, encoder.tokenizer.batch(texts), encoder.encode(texts), strict=True
    ):
        assert tokens == expected_tokens
        assert ids == expected_ids.tolist()


def test_a_prediction_does_not_depend_on_other_texts(loaded: Loaded) -> None:
    texts = ["a lovely gift", "", "alone in the dark " * 30, "won"]
    for name, exported in loaded.items():
        together = exported.predict_proba(texts)
        alone = np.vstack([exported.predict_proba([text]) for text in texts])
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6, err_msg=name)
        assert exported.predict_proba([]).shape == (0, 3)


def test_formats_predict_without_tensorflow(
    tiny_export: Callable[[str], Path],
) -> None:
    names = [name for name, x in FORMATS.items() if not x.needs_tensorflow]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *map(str, map(tiny_export, names))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["joy"] * len(names)


def test_the_folder_lists_all_of_its_files(loaded: Loaded) -> None:
    for name, exported in loaded.items():
        folder: Any = exported.folder  # type: ignore[attr-defined]
        about = folder.about
        assert about["form"] == folder.format == name
        assert about["label_names"] == list(exported.label_names)
        files = {
            path.relative_to(folder.place).as_posix()
            for path in Path(folder.place).rglob("*")
            if path.is_file()
        }
        assert files == {*about["files"], "emoclf.json", "sha256sums.txt"}
