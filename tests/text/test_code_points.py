"""Properties of the tables on which both tokenizers depend.

Tests of emoclf.text: code_points, with make_code_points.
"""

from __future__ import annotations

import unicodedata

import make_code_points as make_tables
import numpy as np
import pytest

from emoclf.text import code_points as tables
from emoclf.text.tokenizer import Tokenizer


def test_the_file_names_its_unicode_version() -> None:
    with np.load(tables.FILE, allow_pickle=False) as arrays:
        major = str(arrays[tables.VERSION]).split(".")[0]
    assert int(major) >= 14


def test_a_normal_form_is_its_own_normal_form_and_keeps_the_class() -> None:
    points = tables.packaged()
    for forms in (points.lower, points.plain):
        np.testing.assert_array_equal(forms[forms], forms)
        np.testing.assert_array_equal(points.classes[forms], points.classes)


def test_emoji_newer_than_the_tables_join_like_the_others() -> None:
    newer = "\U0001fae8\u200d\U0001f468"
    assert Tokenizer().tokens(f"so {newer}!") == ["so", newer, "!"]


@pytest.mark.slow
def test_the_tables_can_be_made_again() -> None:
    made, points = make_tables.build(), tables.packaged()
    with np.load(tables.FILE, allow_pickle=False) as arrays:
        same_unicode = str(arrays[tables.VERSION]) == unicodedata.unidata_version
    for name in ("classes", "lower", "plain"):
        differ = np.flatnonzero(getattr(made, name) != getattr(points, name))
        if same_unicode:
            assert not len(differ)
        # Another Unicode names some characters more; none of them is in plain use.
        assert len(differ) < 20_000
        assert (differ > 0x370).all()
