"""Word vectors from an encoder; tests of emoclf.contextual."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")
pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tiny import tiny_dataset
from tiny_encoder import WORDS, write_tiny_encoder

from emoclf import distil_vectors, read_vectors, train_classifier
from emoclf.cli import main
from emoclf.contextual.transformer import Encoder
from emoclf.errors import ModelError, ResumeError, SettingsError, VectorsError
from emoclf.text.tokenizer import Tokenizer

# transformers and torch warn about each other's releases.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SENTENCES = ["It was lovely at home.", "Nobody came, and the night was dark!"] * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder(folder)


def test_words_alone(encoder: Encoder) -> None:
    vectors = distil_vectors(encoder, WORDS, dim=8, batch_size=5)
    assert vectors.words == tuple(WORDS)
    assert vectors.dim == 8
    assert np.sqrt((vectors.matrix**2).mean()) == pytest.approx(0.12, abs=1e-4)
    np.testing.assert_allclose(vectors.matrix.mean(0), 0, atol=1e-5)
    # The components are uncorrelated, the largest first.
    covariance = np.cov(vectors.matrix.T)
    variances = np.diag(covariance)
    np.testing.assert_allclose(covariance, np.diag(variances), atol=1e-6)
    assert (np.diff(variances) <= 1e-9).all()
    whole = distil_vectors(encoder, WORDS, dim=4096, center=False, rms=1.0)
    alone = encoder.encode(["lovely"])[0]
    row = whole.matrix[whole.words.index("lovely")]
    np.testing.assert_allclose(row / np.linalg.norm(row), alone / np.linalg.norm(alone),
                               atol=1e-4)  # fmt: skip


def test_the_batch_does_not_matter(encoder: Encoder) -> None:
    one = distil_vectors(encoder, WORDS, batch_size=1)
    many = distil_vectors(encoder, WORDS, batch_size=64)
    np.testing.assert_allclose(one.matrix, many.matrix, atol=1e-4)


def test_a_text_in_the_place_of_a_word(encoder: Encoder) -> None:
    options: dict[str, Any] = {"center": False, "dim": 4096, "rms": 1.0}
    texts = {"😂": "lovely smile"}
    words = ["😂", "dark", "home"]
    vectors = distil_vectors(encoder, words, texts=texts, **options)
    described = encoder.encode(["lovely smile"])[0]
    row = vectors.matrix[0]
    np.testing.assert_allclose(
        row / np.linalg.norm(row), described / np.linalg.norm(described), atol=1e-4
    )


def test_words_in_sentences(encoder: Encoder) -> None:
    words = ["lovely", "dark", "home", "smile"]
    options: dict[str, Any] = {"center": False, "dim": 4096, "rms": 1.0}
    vectors = distil_vectors(encoder, words, sentences=SENTENCES, **options)
    tokens = encoder.encode_tokens(SENTENCES[:1])
    place = SENTENCES[0].index("lovely")
    rows = tokens.vectors[0][tokens.spans[0][:, 0] == place]
    expected = rows.mean(0)
    found = vectors.matrix[0]
    np.testing.assert_allclose(
        found / np.linalg.norm(found), expected / np.linalg.norm(expected), atol=1e-4
    )
    alone = distil_vectors(encoder, words, **options)
    # A word that is in no sentence is encoded alone.
    for matrix in (vectors.matrix, alone.matrix):
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors.matrix[3], alone.matrix[3], atol=1e-5)
    assert not np.allclose(vectors.matrix[0], alone.matrix[0], atol=1e-2)
    with pytest.raises(VectorsError, match=r"None of the 1 words occurs in the 6 sent"):
        distil_vectors(encoder, ["tears"], sentences=SENTENCES)


def test_frequent_words_get_less_weight(encoder: Encoder) -> None:
    plain = distil_vectors(encoder, WORDS, rms=1.0)
    weighted = distil_vectors(encoder, WORDS, rms=1.0, frequency_weight=0.01)
    counts = dict.fromkeys(WORDS, 1) | {WORDS[-1]: 1000}
    counted = distil_vectors(
        encoder, WORDS, counts=counts, rms=1.0, frequency_weight=0.01
    )

    def share(vectors: Any, row: int) -> float:
        norms = np.linalg.norm(vectors.matrix, axis=1)
        return float(norms[row] / norms.mean())

    assert share(weighted, 0) < share(plain, 0) / 2
    assert share(counted, -1) < share(plain, -1) / 2


KILLED = """
import os, signal, sys
import emoclf.contextual.vector_distillation as distil
distil.SAVED_BATCHES = 2
words = sys.argv[3:]

def progress(step, done, total):
    if step == "sentences" and done >= 3:
        os.kill(os.getpid(), signal.SIGKILL)

distil.distil_vectors(
    sys.argv[1], words, sentences=["it was lovely at home", "so dark"] * 4,
    output=sys.argv[2], batch_size=1, progress=progress,
)
"""


def test_a_killed_distillation_continues(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.bin"
    state = tmp_path / "v.bin.checkpoint"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(output), *WORDS],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (state / "state.npz").is_file()
    sentences = ["it was lovely at home", "so dark"] * 4
    options: dict[str, Any] = {"sentences": sentences, "batch_size": 1}
    with pytest.raises(ResumeError, match=r"tokenizer differ.*or remove"):
        distil_vectors(
            folder,
            WORDS,
            tokenizer=Tokenizer(lowercase=False),
            output=output,
            **options,
        )
    steps: list[tuple[str, int]] = []
    again = distil_vectors(
        folder,
        WORDS,
        output=output,
        progress=lambda step, done, total: steps.append((step, done)),
        **options,
    )
    # Words are done, and two of the sentences.
    assert steps[:2] == [("words", len(WORDS)), ("sentences", 2)]
    expected = distil_vectors(folder, WORDS, **options)
    np.testing.assert_array_equal(again.matrix, expected.matrix)
    np.testing.assert_array_equal(read_vectors(output).matrix, expected.matrix)
    assert not state.exists()
    state.mkdir()
    (state / "file").touch()
    with pytest.raises(ResumeError, match="not a checkpoint"):
        distil_vectors(folder, WORDS, output=output)


def test_the_tokenizer_finds_the_words(encoder: Encoder) -> None:
    options: dict[str, Any] = {"sentences": ["Lovely LOVELY"], "center": False}
    with pytest.raises(VectorsError, match="occurs in the 1 sentences"):
        distil_vectors(
            encoder, ["lovely"], tokenizer=Tokenizer(lowercase=False), **options
        )
    assert distil_vectors(encoder, ["lovely"], **options).words == ("lovely",)


def test_the_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_dataset()
    texts, out = tmp_path / "texts.csv", tmp_path / "v.bin"
    rows = zip(data.texts, data.labels, strict=True)
    texts.write_text("text,label\n" + "".join(f"{x},{y}\n" for x, y in rows))
    command = ["vectors", "distil", "--encoder", str(folder), "-o", str(out), "--quiet"]
    command += ["--vocabulary-of", str(texts), "--sentences", str(texts), "--dim", "8"]
    assert main([*command, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    vectors = read_vectors(out)
    assert (shown["words"], shown["dim"]) == (len(vectors), 8)
    assert not list(tmp_path.glob("*.checkpoint"))
    trained = train_classifier(data, vectors=out, epochs=1, verbose=0)
    assert trained.prepared.coverage.share_of_running == 1.0
    words = tmp_path / "words.txt"
    words.write_text("lovely\ndark\nhome\n")
    command = ["vectors", "distil", "--encoder", str(folder), "--words", str(words)]
    assert main([*command, "-o", str(out)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "-o", str(out), "--overwrite", "--quiet"]) == 0
    assert read_vectors(out).words == ("lovely", "dark", "home")


def damaged(folder: Path, name: str, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        if file.name != name:
            (copy / file.name).write_bytes(file.read_bytes())
    return copy


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_incomplete_encoder_is_named(
    folder: Path, name: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded .*It needs a config.json"):
        Encoder(damaged(folder, name, tmp_path))


def test_a_name_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="give the path of a folder"):
        Encoder("someone/some-encoder")
    with pytest.raises(ModelError, match="is not the folder of an encoder"):
        Encoder(tmp_path / "none")


@pytest.mark.parametrize(
    ("words", "message"),
    [([], "Got none"), (["two words"], "Got 'two words'"), ([""], "Got ''")],
)
def test_words_that_are_none(encoder: Encoder, words: list[str], message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        distil_vectors(encoder, words)


def test_wrong_settings(encoder: Encoder) -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        distil_vectors(encoder, WORDS, dim=0)
    with pytest.raises(SettingsError, match="Did you mean 'dim'"):
        distil_vectors(encoder, WORDS, dims=8)
    with pytest.raises(ModelError, match="must be the folder of an encoder"):
        distil_vectors(3, WORDS)  # type: ignore[arg-type]
    with pytest.raises(VectorsError, match="are equal"):
        distil_vectors(encoder, ["home"])
