"""Looking up pieces gives the same ids as the tokenizer.

Tests of emoclf.text: piece_encoder and piece_table.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoclf.datasets.sample import load_sample
from emoclf.folded.compiled import CompiledPieces
from emoclf.text import piece_encoder as module
from emoclf.text import piece_table
from emoclf.text.code_points import SIZE
from emoclf.text.encoder import TextEncoder
from emoclf.text.piece_encoder import PieceEncoder, pack_ids
from emoclf.text.tokenizer import EMOTICONS, Tokenizer
from emoclf.text.vocabulary import Vocabulary

PARTS = [
    *"aAbZİ'’09.,:!-( \x00\t\n\x1f\x7f\xa0\u2028\u200d\ufe0f\u0301我ไ👍🏽🇫\ud800\udc00",
    "the",
    "The",
    "don't ",
    " 3.5 ",
    "!!!!",
    "x" * 70 + " ",
    *EMOTICONS,
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=20).map("".join),
    st.text(max_size=30),
)
TOKENS = ["a", "the", "don't", "3.5", ":)", "!!!", "我", "İ", "i", "A", "The", "b"]
ENGINES = [pytest.param(lambda table: table, id="numpy"),
           pytest.param(CompiledPieces, id="numba")]  # fmt: skip


def both(
    engine: Callable[[Any], Any], kind: str = "words", lowercase: bool = True
) -> tuple[TextEncoder, PieceEncoder]:
    """Return the definition, and what is held to it."""
    encoder = TextEncoder(
        Tokenizer(kind, lowercase),
        Vocabulary(TOKENS),
        max_length=12,
        stop_words=["b", "9"],
    )
    quick = PieceEncoder(
        encoder.tokenizer,
        dict(zip(TOKENS, range(2, 99), strict=False)),
        stop_words=encoder.stop_words,
        max_length=encoder.max_length,
    )
    quick.use(engine)
    return encoder, quick


def as_lists(found: tuple[np.ndarray, np.ndarray]) -> list[list[int]]:
    token_ids, lengths = found
    assert token_ids.dtype == np.int32
    ends = np.cumsum(lengths)
    assert len(token_ids) == (ends[-1] if len(ends) else 0)
    return [x.tolist() for x in np.split(token_ids, ends[:-1])] if len(ends) else []


def unpacked(token_ids: bytes) -> list[int]:
    return memoryview(token_ids).cast("q").tolist()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_equal_ids(kind: str, lowercase: bool) -> None:
    encoder, quick = both(lambda table: table, kind, lowercase)
    _, compiled = both(CompiledPieces, kind, lowercase)

    # One memory for all examples: what was learnt must not change an answer.
    @settings(max_examples=300, deadline=None)
    @given(texts=st.lists(TEXTS, max_size=12))
    def same(texts: list[str]) -> None:
        expected = [ids.tolist() for ids in encoder.encode(texts)]
        assert as_lists(quick.encode(texts)) == expected
        assert as_lists(compiled.encode(texts)) == expected
        # One text is encoded in Python by both.
        assert [unpacked(quick.encode_one(text)) for text in texts] == expected

    same()


@pytest.mark.slow
def test_every_code_point() -> None:
    encoder, quick = both(lambda table: table)
    _, compiled = both(CompiledPieces)
    codes = [*range(0x3100), *range(0xD7F0, 0x10000), *range(0x10000, SIZE, 97)]
    texts = ["a{0}a {0} The{0}".format(chr(code)) for code in codes]
    expected = [ids.tolist() for ids in encoder.encode(texts)]
    for one in (quick, compiled):
        assert as_lists(one.encode(texts)) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_forgotten_pieces_are_learned_again(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A chunk has fewer pieces than are remembered, here as ever.
    for place in (module, piece_table):
        monkeypatch.setattr(place, "MAX_PIECES", 300)
    monkeypatch.setattr(module, "CHUNK_LETTERS", 500)
    encoder, quick = both(engine)
    texts = list(load_sample().texts[:400])
    for _ in range(2):
        expected = [ids.tolist() for ids in encoder.encode(texts)]
        assert as_lists(quick.encode(texts)) == expected
        assert [unpacked(quick.encode_one(text)) for text in texts] == expected
    assert len(quick._packed) <= 300


def test_packed_pieces_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PACKED_BYTES", 1000)
    encoder, quick = both(lambda table: table)
    quick.pack_as(24, lambda pieces: [pack_ids([np.repeat(x, 3)])[0] for x in pieces])
    texts = list(load_sample().texts[:100])
    sizes = set()
    for text, ids in zip(texts, encoder.encode(texts), strict=True):
        assert unpacked(quick.encode_one(text)) == np.repeat(ids, 3).tolist()
        sizes.add(sum(map(len, quick._packed.values())))
    # The last piece that was remembered may have several tokens.
    assert 900 < max(sizes) < 1100


@pytest.mark.parametrize("engine", ENGINES)
def test_texts_of_any_size(engine: Any) -> None:
    encoder, quick = both(engine)
    numbers = " ".join(str(n) for n in range(60_000))
    texts = ["", " ", "a " * 100_000, numbers, "\0", "x" * 200_000, "the"]
    expected = [ids.tolist() for ids in encoder.encode(texts)]
    assert as_lists(quick.encode(texts)) == expected
    assert as_lists(quick.encode([])) == []
    assert as_lists(quick.encode([""])) == [[]]


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_share_a_memory(engine: Any) -> None:
    texts = list(load_sample().texts)
    parts = [texts[start::40] for start in range(40)]
    for _ in range(3):
        encoder, quick = both(engine)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(quick.encode, parts))
        for part, ids in zip(parts, found, strict=True):
            assert as_lists(ids) == [x.tolist() for x in encoder.encode(part)]


@pytest.mark.parametrize("text", ["", "a"])
def test_the_first_batch_may_be_one_byte(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    cumsum = np.cumsum

    # NumPy before 2.5 accepts an ``out`` of the wrong size.
    def strict_cumsum(values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        sizes.append(len(values))
        assert out is None or out.shape == values.shape
        return cumsum(values, out=out)

    monkeypatch.setattr(piece_table.np, "cumsum", strict_cumsum)
    table = piece_table.PieceTable(lambda piece: [len(piece)], lowercase=True)
    token_ids, lengths = table.encode([text])
    assert sizes[0] == len(text) + 1
    assert token_ids.tolist() == [1] * len(text)
    assert lengths.tolist() == [len(text)]
