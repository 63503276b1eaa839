"""Tags, and the way from character offsets to tokens and back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoclf.aspects.data.sentences import Term
from emoclf.aspects.data.tags import (
    SCHEMES,
    TokenSpan,
    align_spans,
    decode_tags,
    encode_tags,
    tag_names,
)
from emoclf.models.crf import tag_constraints
from emoclf.text.tokenizer import Tokenizer


@st.composite
def spans_of_tokens(draw: st.DrawFn) -> tuple[int, list[TokenSpan]]:
    """Draw a number of tokens and spans of two labels in them."""
    borders = sorted(draw(st.sets(st.integers(0, 12), max_size=8)))
    pairs = zip(borders[::2], borders[1::2], strict=False)
    label = st.sampled_from(["food", "staff"])
    return 12, [TokenSpan(first, end, draw(label)) for first, end in pairs]


@pytest.mark.parametrize("scheme", SCHEMES)
@given(drawn=spans_of_tokens())
def test_tags_are_decoded_to_the_same_spans(
    scheme: str, drawn: tuple[int, list[TokenSpan]]
) -> None:
    n_tokens, spans = drawn
    tags = encode_tags(n_tokens, spans, scheme)
    assert decode_tags(tags) == spans
    # The constraints of the CRF allow every path that can be encoded.
    names = tag_names(["food", "staff"], scheme)
    rules = tag_constraints(names)
    ids = [names.index(tag) for tag in tags]
    assert rules["allowed_start"][ids[0]]
    assert rules["allowed_end"][ids[-1]]
    for before, after in itertools.pairwise(ids):
        assert rules["allowed"][before][after]


def test_malformed_tags_are_read_as_by_conlleval() -> None:
    tags = ["I", "O", "E", "I-food", "B-food", "I-food", "I"]
    assert decode_tags(tags) == [
        TokenSpan(0, 1),
        TokenSpan(2, 3),
        TokenSpan(3, 4, "food"),
        TokenSpan(4, 6, "food"),
        TokenSpan(6, 7),
    ]


def test_terms_within_tokens_are_snapped_and_counted() -> None:
    text = "The touchscreen/keyboard combo rocks"
    tokens = Tokenizer().spans(text)
    words = [text[a:b] for a, b in tokens]
    assert words[:4] == ["The", "touchscreen", "/", "keyboard"]
    # "screen" lies within a token, and "touch" in the same one is left without any.
    found = align_spans([Term(4, 9), Term(9, 15), Term(16, 30)], tokens)
    assert found.spans == [TokenSpan(1, 2), TokenSpan(3, 5)]
    assert (found.n_moved, found.n_dropped) == (1, 1)


def test_gold_borders_do_not_split_tokens() -> None:
    text = "keyboards"
    assert align_spans([Term(0, 8)], Tokenizer().spans(text)).spans == [TokenSpan(0, 1)]
    assert Tokenizer().spans(text) == [(0, 9)]
