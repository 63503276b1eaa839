"""Memory and time of reading 20,000 words from a 1,000,000 x 300 word2vec file.

Run: ``python tests/benchmarks/vectors_memory.py``. It makes a file of 1.2 GB in a
temporary folder (``TMPDIR``) and removes it. Both readers run in processes of their own
and take turns, so that both find the file in the system's cache; the first turn, which
brings it there, does not count. Exits with 1 if a bound is broken.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BOUND_MB = 300.0

# ru_maxrss is in kB on Linux; it is the peak of the whole process, imports included.
REPORT = """
import json, resource, sys
print(json.dumps({
    "seconds": seconds,
    "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "checksum": checksum,
    "tensorflow": "tensorflow" in sys.modules,
}))
"""
EMOCLF = """
import sys, time
from emoclf.embeddings.matrix import embedding_matrix
from emoclf.text.vocabulary import Vocabulary
vocabulary = Vocabulary(open(sys.argv[2], encoding="utf-8").read().split("\\n"))
start = time.perf_counter()
matrix, coverage = embedding_matrix(sys.argv[1], vocabulary)
seconds = time.perf_counter() - start
assert coverage.types_found == len(vocabulary.tokens), coverage.lines()
checksum = float(matrix[2:].sum(dtype="float64"))
"""
GENSIM = """
import sys, time
from gensim.models import KeyedVectors
words = open(sys.argv[2], encoding="utf-8").read().split("\\n")
start = time.perf_counter()
vectors = KeyedVectors.load_word2vec_format(sys.argv[1], binary=True)
seconds = time.perf_counter() - start
checksum = float(vectors[words].sum(dtype="float64"))
"""


def make_file(path: Path, words: list[str], dim: int) -> None:
    """Write random vectors, block by block."""
    rng = np.random.default_rng(0)
    with open(path, "wb") as stream:
        stream.write(f"{len(words)} {dim}\n".encode())
        for start in range(0, len(words), 10_000):
            block = words[start : start + 10_000]
            rows = rng.standard_normal((len(block), dim), np.float32)
            stream.write(
                b"".join(
                    word.encode() + b" " + row.tobytes() + b"\n"
                    for word, row in zip(block, rows, strict=True)
                )
            )


def make_words(n: int, *, cased: bool) -> list[str]:
    """Return words as in a cased file: each in three cases, or all different."""
    if not cased:
        return [f"word{number}" for number in range(n)]
    stems = [f"word{number}" for number in range(n // 3 + 1)]
    return [form(stem) for stem in stems for form in (str, str.title, str.upper)][:n]


def run(code: str, *arguments: Path) -> dict:
    """Run a reader in a fresh process."""
    command = [sys.executable, "-c", code + REPORT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=300)
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--cased", action="store_true", help="every word stands there in three cases"
    )
    args = parser.parse_args()
    words = make_words(args.rows, cased=args.cased)
    lower = sorted({word.lower() for word in words})
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(lower), min(args.words, len(lower)), replace=False)
    with tempfile.TemporaryDirectory() as folder:
        path, needed = Path(folder, "vectors.bin"), Path(folder, "words.txt")
        make_file(path, words, args.dim)
        needed.write_text("\n".join(lower[i] for i in chosen), encoding="utf-8")
        print(f"{args.rows} x {args.dim}: {path.stat().st_size / 1e9:.2f} GB")
        ours, theirs = [], []
        for _ in range(args.turns + 1):
            ours.append(run(EMOCLF, path, needed))
            theirs.append(run(GENSIM, path, needed))
    mb = max(turn["mb"] for turn in ours)
    seconds = min(turn["seconds"] for turn in ours[1:])
    bar = min(turn["seconds"] for turn in theirs[1:])
    for name, turns in (("emoclf", ours), ("gensim", theirs)):
        shown = ", ".join(f"{turn['seconds']:.2f}" for turn in turns)
        peak = max(turn["mb"] for turn in turns)
        print(f"{name}: {peak:.0f} MB at its peak; seconds: {shown}")
    print(f"best turns: {seconds:.2f} s against {bar:.2f} s, {seconds / bar:.2f} of it")
    assert abs(ours[0]["checksum"] - theirs[0]["checksum"]) < 1.0
    assert not ours[0]["tensorflow"]
    return int(mb >= BOUND_MB or seconds > bar)


if __name__ == "__main__":
    sys.exit(main())
