"""Memory and speed of ``emoclf predict`` over a million lines.

Run: ``python tests/benchmarks/streaming.py``. It folds a small network with random
weights, writes lines drawn from the bundled corpus and predicts them in processes of
their own. Memory is measured after ten chunks and then after each; the exit code is 1
if it has grown by more than 50 MB since then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MAX_GROWTH_MB = 50.0

MEASURED_RUN = "--measured-run"
# Chunks after which the model's own tables and caches are filled.
N_WARM_UP_CHUNKS = 10


def measured_run(
    model: str, source: str, target: str, workers: str, options: str
) -> None:
    """Predict as ``emoclf predict`` does, and measure memory after each chunk."""
    from emoclf.bulk.file_prediction import Progress, predict_file

    sizes: list[float] = []
    first: list[tuple[float, int]] = []
    start = time.perf_counter()

    def measure(state: Progress) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        if not first:
            first.append((time.perf_counter(), state.predicted))

    summary = predict_file(
        model,
        source,
        target,
        workers=int(workers),
        options=json.loads(options),
        report=measure,
    )
    at, n_first = first[0]
    metrics = {
        "answered": summary.predicted,
        "start": sizes[min(N_WARM_UP_CHUNKS, len(sizes)) - 1],
        "end": sizes[-1],
        "highest": max(sizes),
        "peak": peak_memory(),
        "per_second": (summary.predicted - n_first) / (time.perf_counter() - at),
        "until_first": at - start,
    }
    print(json.dumps(metrics))


def peak_memory() -> float:
    """Return the peak memory of this process, in MB.

    Not ru_maxrss, which a process inherits from the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def make_model(folder: Path) -> Path:
    """Fold a TextCNN of the default size; its weights do not affect the speed."""
    from emoclf.bundle.bundle import Bundle
    from emoclf.datasets.sample import load_sample
    from emoclf.export.folded import export_folded
    from emoclf.models.build import build_model
    from emoclf.predictor import Predictor
    from emoclf.settings import RunSettings
    from emoclf.text.encoder import fit_encoder, new_tokenizer

    data, settings = load_sample(), RunSettings()
    encoder = fit_encoder(new_tokenizer(settings.text).batch(data.texts), settings.text)
    shape = (len(encoder.vocabulary), settings.embedding.dim)
    matrix = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    matrix[0] = 0
    n_classes = len(data.label_names)
    network = build_model(
        settings, n_classes=n_classes, multilabel=False, matrix=matrix
    )
    bundle = Bundle(network, encoder, data.label_names, False, settings)
    return export_folded(Predictor(bundle), folder / "model")


def make_lines(path: Path, n_lines: int) -> None:
    """Write sentences of the corpus, each with a different number at its end."""
    from emoclf.datasets.sample import load_sample

    texts = [" ".join(text.split()) for text in load_sample().texts]
    rng = np.random.default_rng(1)
    with open(path, "w", encoding="utf-8") as stream:
        for start in range(0, n_lines, 10_000):
            size = min(10_000, n_lines - start)
            for i, chosen in enumerate(rng.integers(0, len(texts), size).tolist()):
                stream.write(f"{texts[chosen]} {start + i}\n")


def run(model: Path, source: Path, target: Path, workers: int, options: dict) -> dict:
    """Predict a file in a fresh process."""
    arguments = [MEASURED_RUN, model, source, target, workers, json.dumps(options)]
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def main() -> int:
    if sys.argv[1:2] == [MEASURED_RUN]:
        measured_run(*sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--precision")
    parser.add_argument("--engine")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = {
        name: value
        for name in ("precision", "engine")
        if (value := getattr(args, name)) is not None
    }
    growth = []
    with tempfile.TemporaryDirectory() as folder:
        model, lines = make_model(Path(folder)), Path(folder, "lines.txt")
        make_lines(lines, args.lines)
        size = lines.stat().st_size / 1e6
        print(f"{args.lines:,} lines, {size:.0f} MB; {options or 'float32'}")
        for ending in (".jsonl", ".csv", ".parquet"):
            for workers in args.workers:
                target = Path(folder, f"{workers}{ending}")
                m = run(model, lines, target, workers, options)
                assert m["answered"] == args.lines
                growth.append(m["highest"] - m["start"])
                print(
                    f"to {ending}, {workers} process(es): "
                    f"{m['start']:.0f} MB at the start, {m['end']:.0f} MB at "
                    f"the end, {m['peak']:.0f} MB peak; "
                    f"{m['per_second']:,.0f} texts a second, the first chunk after "
                    f"{m['until_first']:.1f} s",
                    flush=True,
                )
    return int(max(growth) > MAX_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
