"""Tables in pages are equal to the whole tables."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.text.code_point_pages import cut_into_pages, read_pages
from emoclf.text.code_points import SIZE, packaged
from emoclf.text.tokenizer import Tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("lowercase", [True, False])
def test_pages_are_the_tables(lowercase: bool) -> None:
    arrays = cut_into_pages(packaged(), lowercase=lowercase)
    assert sum(values.nbytes for values in arrays.values()) < 250_000
    pages = read_pages(arrays)
    whole = pages.whole()
    np.testing.assert_array_equal(whole.classes, packaged().classes)
    forms = packaged().lower if lowercase else packaged().plain
    np.testing.assert_array_equal(whole.lower, forms)
    # All of the planes with letters, and the tags; of the others every 97th.
    codes = [*range(0x20000), *range(0xE0000, 0xE1000), *range(0x20000, SIZE, 97)]
    every = "".join(map(chr, codes))
    for found, expected in zip(
        pages.strings(lowercase), packaged().strings(lowercase), strict=True
    ):
        assert every.translate(found) == every.translate(expected)


def test_a_tokenizer_reads_pages() -> None:
    pages = read_pages(cut_into_pages(packaged(), lowercase=True))
    text = "Don't STOP... :-) 我们 \ud800 İ 10:30"
    assert Tokenizer(points=pages).tokens(text) == Tokenizer().tokens(text)


def test_wrong_pages_are_errors() -> None:
    arrays = cut_into_pages(packaged(), lowercase=True)
    with pytest.raises(ValueError, match="'classes' is missing"):
        read_pages({name: arrays[name] for name in ("numbers", "changes")})
    with pytest.raises(ValueError, match="do not fit"):
        read_pages({**arrays, "numbers": arrays["numbers"][:9]})
    with pytest.raises(ValueError, match="do not fit"):
        read_pages({**arrays, "changes": arrays["changes"][:9]})
