"""XML of SemEval: ``sentence/text``, and ``aspectTerm`` (2014) or ``Opinion`` (later).

Pontiki et al. (2014), "SemEval-2014 Task 4: Aspect Based Sentiment Analysis", and the
tasks of 2015 and 2016, whose opinions have a target, or "NULL" without words. Files of
strangers can neither expand entities nor read other files: defusedxml refuses both.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from emoclf.aspects.data.sentences import CONFLICT, Sentence, new_sentence
from emoclf.datasets.cells import shorten
from emoclf.datasets.data_files import ending_of, reading
from emoclf.errors import DataError
from emoclf.optional import require
from emoclf.settings import DataSettings

#: Characters that XML 1.0 does not have.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_semeval(path: Path, settings: DataSettings) -> Iterator[Sentence]:
    """Yield the sentences of a file, each with its aspect terms and their polarity.

    A target with opinions of several categories is one term; if they differ, its
    polarity is "conflict".

    Raises
    ------
    DataError
        If it is not XML or not of this form, or an offset does not fit its term.
    """
    root = _parse(path)
    for number, element in enumerate(root.iter("sentence"), 1):
        name = element.get("id") or f"number {number}"
        location = f"{path}, sentence {name}"
        text = _text(element, location)
        spans = [_span(text, x.attrib, location) for x in element.iter("aspectTerm")]
        spans += _merged(
            _span(text, x.attrib, location)
            for x in element.iter("Opinion")
            if x.get("target") != "NULL"
        )
        yield new_sentence(text, spans, id=element.get("id") or "", location=location)
    tags = sorted({element.tag for element in root.iter()})
    if not {"aspectTerm", "Opinion"} & {*tags} and "sentence" in tags:
        raise DataError(
            f"{path} has no element <aspectTerm> (SemEval-2014) or <Opinion> (2015 and "
            f"2016), and so no terms. Its elements: {shorten(tags)}."
        )
    if root.find(".//sentence") is None:
        raise DataError(
            f"{path} has no element <sentence>; it begins with <{root.tag}>. Files of "
            "SemEval-2014, task 4, have one for each sentence."
        )


def _parse(path: Path) -> Any:
    tree = require(
        "defusedxml.ElementTree", extra="aspects", needed_by="reading of XML"
    )
    defusedxml = require("defusedxml", extra="aspects", needed_by="reading of XML")
    try:
        with reading(path):
            opener: Any = gzip.open if ending_of(path)[1] else open
            with opener(path, "rb") as stream:
                return tree.parse(stream).getroot()
    except tree.ParseError as error:
        raise DataError(
            f"{path}: this is not XML ({error}). Correct it, or name the format of "
            "the file."
        ) from None
    except defusedxml.DefusedXmlException as error:
        raise DataError(
            f"{path} declares an entity or another file, which is refused, because it "
            f"could fill the memory or read files of this machine ({error}). Delete "
            "the declaration."
        ) from None
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{path} names an encoding that cannot be read ({error}). Save it as UTF-8."
        ) from None


def _text(element: Any, location: str) -> str:
    text_element = element.find("text")
    if text_element is None:
        raise DataError(f"{location}: it has no element <text>. Add it.")
    if len(text_element):
        raise DataError(
            f"{location}: <text> contains an element <{text_element[0].tag}>, so "
            "that offsets are ambiguous. Remove the tags, and count the offsets "
            "without them."
        )
    return text_element.text or ""


def _merged(
    spans: Iterable[tuple[int, int, str | None]],
) -> list[tuple[int, int, str | None]]:
    """Return each target once: it has an opinion for each category that it is of."""
    labels: dict[tuple[int, int], str | None] = {}
    for start, stop, label in spans:
        first_label = labels.setdefault((start, stop), label)
        if first_label != label:
            labels[start, stop] = CONFLICT
    return [(*offsets, label) for offsets, label in labels.items()]


def _span(text: str, attributes: Any, location: str) -> tuple[int, int, str | None]:
    words = attributes.get("term", attributes.get("target"))
    shown = f"the term {words!r}" if words is not None else "a term"
    offsets = []
    for name in ("from", "to"):
        value = attributes.get(name, "")
        if not re.fullmatch("[0-9]{1,9}", value):
            raise DataError(
                f"{location}: {shown} must have a whole number as {name!r}. Got "
                f"{value!r} instead."
            )
        offsets.append(int(value))
    start, stop = offsets
    if words is not None and text[start:stop] != words:
        raise DataError(
            f"{location}: {shown} has the offsets {start} to {stop}, but the text "
            f"there is {text[start:stop]!r}. Correct the offsets."
        )
    return start, stop, attributes.get("polarity")


def semeval_lines(sentences: Iterable[Sentence]) -> Iterator[str]:
    """Yield the lines of a file.

    Raises
    ------
    DataError
        If a text, an id or a label contains a character that XML has not, such as a
        control.
    """
    yield '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sentences>\n'
    for number, sentence in enumerate(sentences, 1):
        name = sentence.id or str(number)
        labels = [term.label or "" for term in sentence.terms]
        bad = _NOT_XML.search("".join([name, sentence.text, *labels]))
        if bad:
            raise DataError(
                f"Sentence {name!a} contains {bad[0]!a}, which XML cannot contain. "
                "Write .jsonl, or replace it."
            )
        # A parser would turn a bare carriage return into a line feed.
        text = escape(sentence.text, {"\r": "&#13;"})
        yield f"  <sentence id={quoteattr(name)}>\n    <text>{text}</text>\n"
        if sentence.terms:
            yield "    <aspectTerms>\n"
            for term in sentence.terms:
                words = quoteattr(sentence.words(term))
                yield (
                    f"      <aspectTerm term={words} "
                    + (f"polarity={quoteattr(term.label)} " if term.label else "")
                    + f'from="{term.start}" to="{term.stop}"/>\n'
                )
            yield "    </aspectTerms>\n"
        yield "  </sentence>\n"
    yield "</sentences>\n"
