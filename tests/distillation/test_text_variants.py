"""Texts made from training texts."""

from __future__ import annotations

from emoclf.distillation.text_variants import text_variants

TEXTS = [
    "it was lovely at home",
    "nobody came to the party of my friend",
    "非常好的一天",
]


def test_variants_have_the_words_of_the_texts() -> None:
    variants = list(text_variants(TEXTS, 5, seed=1))
    assert len(variants) == 15
    assert variants == list(text_variants(TEXTS, 5, seed=1))
    assert variants != list(text_variants(TEXTS, 5, seed=2))
    known = {word for text in TEXTS for word in (*text.split(), *text)}
    assert all({*text.split()} <= known or {*text} <= known for text in variants)
    assert all(variants)
    assert len({*variants} - {*TEXTS}) > 8


def test_short_texts_stay_texts() -> None:
    assert {*text_variants(["a"], 20)} <= {"a", "aa"}
