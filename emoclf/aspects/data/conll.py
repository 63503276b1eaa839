"""CoNLL columns: a token and its tag on each line, an empty line after a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from emoclf.aspects.data.sentences import Sentence, Term, new_sentence
from emoclf.aspects.data.tags import align_spans, decode_tags, encode_tags
from emoclf.datasets.source import Source
from emoclf.errors import DataError
from emoclf.settings import DataSettings
from emoclf.text.tokenizer import Tokenizer

_TAG = re.compile(r"O|[BIESLU](-.+)?")
_ID = re.compile(r"#\s*(?:sent_)?id\s*=\s*(\S+)")
#: Comments of CoNLL-U: ``# text = …``.
_COMMENT = re.compile(r"#\s*\w+\s*=[^\t]*")


def read_conll(path: Path, settings: DataSettings) -> Iterator[Sentence]:
    """Yield the sentences of a file: the first column has tokens, the last one tags.

    Columns are divided by tabs or spaces. The text of a sentence is its tokens between
    single spaces. Lines that begin with ``-DOCSTART-`` or, at the begin of a sentence,
    with ``# id = `` or another name are not tokens.

    Raises
    ------
    DataError
    """
    source_settings = replace(settings, format="lines", text_column=None)
    with Source(path, source_settings, labelled=True) as source:
        tokens: list[str] = []
        tags: list[str] = []
        name, first, width = "", 1, 0
        for number, line in enumerate(source.lines(), 1):
            if bad := source.bad_line(number):
                raise DataError(f"{source.name}, line {number}: {bad}.")
            line = line.strip(" \t\r")
            match = None if tokens else _ID.match(line)
            if match:
                name = match[1]
            elif not tokens and _COMMENT.fullmatch(line):
                continue
            elif not line or line.startswith("-DOCSTART-"):
                if tokens:
                    yield _sentence(source.name, first, name, tokens, tags)
                tokens, tags, name = [], [], ""
            else:
                cells = line.split("\t") if "\t" in line else line.split()
                if not tokens:
                    first = number
                width = width or len(cells)
                _check(cells, width, f"{source.name}, line {number}")
                tokens.append(cells[0])
                tags.append(cells[-1])
        if tokens:
            yield _sentence(source.name, first, name, tokens, tags)


def _check(cells: list[str], width: int, location: str) -> None:
    if len(cells) < 2 or len(cells) != width or not cells[0].strip():
        raise DataError(
            f"{location}: a line must have a token and a tag, and as many columns as "
            f"the first line ({max(width, 2)}). Got {' '.join(cells)[:60]!r} instead."
        )
    if not _TAG.fullmatch(cells[-1]):
        raise DataError(
            f"{location}: the last column must be a tag such as O, B, I, B-food or "
            f"I-food. Got {cells[-1][:60]!r} instead."
        )


def _sentence(
    source: str, line: int, name: str, tokens: list[str], tags: list[str]
) -> Sentence:
    starts, offset = [], 0
    for token in tokens:
        starts.append(offset)
        offset += len(token) + 1
    spans = [
        Term(starts[first], starts[end - 1] + len(tokens[end - 1]), label)
        for first, end, label in decode_tags(tags)
    ]
    location = f"{source}, line {line}" + (f", sentence {name}" if name else "")
    return new_sentence(" ".join(tokens), spans, id=name, location=location)


def conll_lines(sentences: Iterable[Sentence]) -> Iterator[str]:
    """Yield the tokens of each sentence with their BIO tags, and its id if it has one.

    Raises
    ------
    DataError
        If a label contains white space, which divides columns.
    """
    tokenizer = Tokenizer(lowercase=False)
    for sentence in sentences:
        tokens = tokenizer.spans(sentence.text)
        tags = encode_tags(
            len(tokens), align_spans(sentence.terms, tokens).spans, "BIO"
        )
        for tag in tags:
            if len(tag.split()) != 1:
                raise DataError(
                    f"Sentence {sentence.id}: the label {tag[2:]!r} contains white "
                    "space, which divides the columns of CoNLL. Write .jsonl, or "
                    "rename the label."
                )
        if sentence.id and len(sentence.id.split()) == 1:
            yield f"# id = {sentence.id}\n"
        for (start, stop), tag in zip(tokens, tags, strict=True):
            yield f"{sentence.text[start:stop]}\t{tag}\n"
        yield "\n"
