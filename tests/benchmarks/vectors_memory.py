"""Memory and time of reading 20,000 words from a 1,000,000 x 300 word2vec file.

Run: ``python tests/benchmarks/vectors_memory.py``. It makes a file of 1.2 GB in a
temporary folder (``TMPDIR``) and removes it. The two readers run alternately, each in a
process of its own, so that both read the file from the system's cache; the first runs,
which fill the cache, do not count. Exits with 1 if a bound is exceeded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MAX_PEAK_MB = 300.0

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
    return [case(stem) for stem in stems for case in (str, str.title, str.upper)][:n]


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
        "--cased", action="store_true", help="every word occurs in three cases"
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
        emoclf, gensim = [], []
        for _ in range(args.turns + 1):
            emoclf.append(run(EMOCLF, path, needed))
            gensim.append(run(GENSIM, path, needed))
    mb = max(turn["mb"] for turn in emoclf)
    seconds = min(turn["seconds"] for turn in emoclf[1:])
    gensim_seconds = min(turn["seconds"] for turn in gensim[1:])
    for name, turns in (("emoclf", emoclf), ("gensim", gensim)):
        shown = ", ".join(f"{turn['seconds']:.2f}" for turn in turns)
        peak = max(turn["mb"] for turn in turns)
        print(f"{name}: {peak:.0f} MB peak memory; seconds: {shown}")
    print(
        f"best runs: {seconds:.2f} s against {gensim_seconds:.2f} s, "
        f"{seconds / gensim_seconds:.2f} of it"
    )
    assert abs(emoclf[0]["checksum"] - gensim[0]["checksum"]) < 1.0
    assert not emoclf[0]["tensorflow"]
    return int(mb >= MAX_PEAK_MB or seconds > gensim_seconds)


if __name__ == "__main__":
    sys.exit(main())
