"""The baseline of a tagger."""

from __future__ import annotations

from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.terms.term_dictionary import TermDictionary


def test_longest_terms_that_are_mostly_terms_are_found() -> None:
    train = AspectData.from_lists(
        [
            "the hard disk",
            "a Hard Disk",
            "hard work, hard luck, hard",
            "a disk",
            "the work",
        ],
        [[(4, 13)], [(2, 11)], [(0, 4)], [(2, 6)], []],
    )
    found = TermDictionary().fit(train)
    text = "HARD DISK, disk and hard"
    (spans,) = found.predict([text])
    # "hard" alone was a term once in three times.
    assert [text[x.start : x.stop] for x in spans] == ["HARD DISK", "disk"]


def test_without_terms_nothing_is_found() -> None:
    found = TermDictionary().fit(AspectData.from_lists(["a"], [[]]))
    assert found.predict(["a", ""]) == [[], []]
