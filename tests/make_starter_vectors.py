"""Make the starter vectors of the package from an encoder of sentences.

``EMOCLF_DATA=… python tests/make_starter_vectors.py --encoder FOLDER``

Words are ranked by the sum of their shares in GoEmotions' training set (Apache-2.0) and
in unlabelled reviews, and of their place in the encoder's own vocabulary, which is
ordered by frequency. How size, dimensions, bits and encoder were chosen is written in
``tests/benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from emoclf import distil_vectors
from emoclf.datasets.readers import read_dataset
from emoclf.embeddings.starter import LEVELS, STARTER_FILE
from emoclf.embeddings.word_vectors import WordVectors
from emoclf.files import new_file
from emoclf.text.tokenizer import EMOTICONS, Tokenizer

WORDS, DIM, BITS = 29_000, 256, 3
#: Reviews that are counted, of the unlabelled ones.
N_REVIEWS = 25_000
#: Possessives are found by their parts, which need this one.
POSSESSIVE = "'s"
WITH_S = frozenset(
    f"{word}'s" for word in "it that he she what there let who here how where".split()
)
#: First and last code point of blocks of emoji.
EMOJI_BLOCKS = (
    (0x1F600, 0x1F64F),
    (0x1F910, 0x1F93A),
    (0x1F970, 0x1F97A),
    (0x1F440, 0x1F450),
    (0x1F493, 0x1F49F),
    (0x1F480, 0x1F48F),
    (0x1F381, 0x1F38A),
    (0x2763, 0x2764),
)
MORE_EMOJI = (
    "☀☺☹♥✌✨⭐🌈🌞🌹🍀🍻🍾🎂🎵🎶🏆👑👿👻👽💀💃💎💐💔💢💣💤💥💦💩💪💯🔥🔪🖤🤍🥂🥇🧡🚀"
)
VARIATION = "\N{VARIATION SELECTOR-16}"
#: What is encoded in the place of an emoticon.
EMOTICON_TEXTS = {
    "smiling face": ":) :-) :)) =) :] ^^ ^_^ :3",
    "sad face": ":( :-( :(( =( :[",
    "winking face": ";) ;-)",
    "laughing face": ":D :-D =D xD XD",
    "playful face with tongue": ":P :-P ;P :p",
    "surprised face": ":O :-O :o o_O O_o",
    "doubtful face": r":/ :-/ :\ :| :-| -_-",
    "kiss": ":* :-*",
    "crying face": ":'( :'-( T_T ;_;",
    "tears of joy": ":')",
    "love": "<3",
    "broken heart": "</3",
    "frustrated face": ">_<",
    "angry face": ">:(",
    "horrified face": "D:",
    "cheering": r"\o/",
    "shrug": r"¯\_(ツ)_/¯",
}


def ranked_words(data: Path, encoder: Path, tokenizer: Tokenizer) -> list[str]:
    """Return words by frequency, the most frequent ones first."""
    goemotions = read_dataset(
        data / "goemotions" / "train.tsv",
        header=False,
        text_column="1",
        label_column="2",
        label_separator=",",
    )
    with gzip.open(data / "imdb" / "imdb_unsup.txt.gz", "rt", encoding="utf-8") as file:
        reviews = [line.replace("<br />", " ") for line in islice(file, N_REVIEWS)]
    shares: Counter[str] = Counter()
    for texts in (goemotions.texts, reviews):
        counts = Counter(word for text in tokenizer.batch(texts) for word in text)
        for word, count in counts.items():
            shares[word] += count / counts.total()
    vocabulary = (encoder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    places = Counter({w: 1 / (10 + i) for i, w in enumerate(_whole(vocabulary))})
    for word, weight in places.items():
        if tokenizer.tokens(word) == [word]:
            shares[word] += weight / places.total()
    return sorted(filter(_is_useful, shares), key=lambda word: (-shares[word], word))


def _whole(vocabulary: Iterable[str]) -> list[str]:
    """Return the whole words of an encoder's vocabulary."""
    return [
        word
        for word in vocabulary
        if len(word) > 1 and word.isascii() and not word.startswith(("##", "["))
    ]


def _is_useful(word: str) -> bool:
    if word.endswith(POSSESSIVE):
        return word in WITH_S
    if word.isdigit():
        return len(word) <= 4
    # Other scripts, and pictures made of them, are rare in English.
    is_latin = all(c.isascii() or "\xa0" <= c < "\u0250" for c in word)
    return len(word) <= 25 and (is_latin or word in "“”‘’–—…€™")


def pictures(tokenizer: Tokenizer) -> dict[str, str]:
    """Return emoticons and emoji as tokens, and the texts that describe them."""
    texts = {
        tokenizer.tokens(emoticon)[0]: text
        for text, emoticons in EMOTICON_TEXTS.items()
        for emoticon in emoticons.split()
    }
    assert texts.keys() == {tokenizer.tokens(emoticon)[0] for emoticon in EMOTICONS}
    blocks = (map(chr, range(first, last + 1)) for first, last in EMOJI_BLOCKS)
    for char in dict.fromkeys([*MORE_EMOJI, *(c for block in blocks for c in block)]):
        name = unicodedata.name(char, "").lower()
        if name:
            texts[char] = name
            # Older symbols are pictures only before a variation selector.
            if char < "\u3000":
                texts[char + VARIATION] = name
    return texts


def write_starter_vectors(vectors: WordVectors, path: Path, *, bits: int) -> None:
    """Write vectors in a few bits per number, atomically.

    Parameters
    ----------
    vectors : WordVectors
        Vectors whose mean over all words is zero, as distilled ones.
    path : Path
    bits : {2, 3, 4}
    """
    scales = vectors.matrix.std(0)
    positive = np.array(LEVELS[bits])
    levels = np.concatenate([-positive[::-1], positive])
    codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, vectors.matrix / scales)
    planes = [codes >> (bits - 1 - bit) & 1 for bit in range(bits)]
    arrays = {
        "words": np.frombuffer("\n".join(vectors.words).encode(), np.uint8),
        "codes": np.packbits(np.stack(planes, 1).astype(np.uint8), axis=2),
        "scales": scales.astype(np.float32),
    }
    with new_file(path) as stream:
        np.savez_compressed(stream, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--words", type=int, default=WORDS)
    parser.add_argument("--dim", type=int, default=DIM)
    parser.add_argument("--bits", type=int, default=BITS)
    parser.add_argument("--output", type=Path, default=STARTER_FILE)
    args = parser.parse_args()
    if "EMOCLF_DATA" not in os.environ:
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    tokenizer = Tokenizer()
    texts: Mapping[str, str] = pictures(tokenizer)
    ranked = ranked_words(Path(os.environ["EMOCLF_DATA"]), args.encoder, tokenizer)
    words = [word for word in ranked if word not in texts]
    words = [*words[: args.words - len(texts) - 1], POSSESSIVE, *texts]
    vectors = distil_vectors(args.encoder, words, texts=texts, dim=args.dim)
    write_starter_vectors(vectors, args.output, bits=args.bits)
    print(f"{args.output}: {len(words)} words, {args.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
