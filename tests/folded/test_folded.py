"""A folded classifier answers as the network does, from NumPy alone."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_networks as networks

from emoclf.errors import BundleError, ExportError, SettingsError
from emoclf.export.folded import export_folded
from emoclf.export.formats import PRECISIONS
from emoclf.export.parity import HARD_TEXTS
from emoclf.folded import FoldedClassifier, compiled, load_folded
from emoclf.folded.stored_vectors import StoredVectors, round_vectors
from emoclf.predictor import Predictor
from emoclf.serving import load_exported

TABLE: list[dict[str, Any]] = [
    {},
    {"activation": "sigmoid", "batch_norm": True},
    {"padding": "valid", "stride": 2},
    {"stride": 3, "kernel_sizes": (2, 5)},
    {"pooling": "average", "activation": "elu", "hidden": 7},
    {"pooling": "average", "padding": "valid", "batch_norm": True},
    {"embedding": "two-channel", "activation": "tanh", "kernel_sizes": (1,)},
    {"hidden": 9, "padding": "valid", "kernel_sizes": (4, 1, 7)},
    {"kernel_sizes": (9, 3), "activation": "elu", "tokenizer": "characters"},
    {"filters": 50, "lowercase": False, "stop_words": ["the", "a"], "max_length": 9},
    {"architecture": "mean_embedding", "bigram_buckets": 500},
    {"architecture": "mean_embedding", "bigram_buckets": 0},
    {"architecture": "ngram_linear"},
    {"architecture": "ngram_linear", "dropout": 0.3},
]
TEXTS = [*HARD_TEXTS, "Word", "a\0b", "x\ud800", *networks.texts()]


def named(row: dict[str, Any]) -> str:
    return "-".join(map(str, row.values())) or "defaults"


def predictor_of(row: dict[str, Any], **more: Any) -> Predictor:
    width = {} if "architecture" in row else {"filters": 9}
    return networks.random_predictor(**{**width, **row, **more})


@pytest.fixture(scope="module", params=TABLE, ids=named)
def pair(request: Any, tmp_path_factory: Any) -> tuple[Predictor, Path]:
    predictor = predictor_of(request.param, multilabel=len(request.param) == 2)
    return predictor, export_folded(predictor, tmp_path_factory.mktemp("e") / "f")


def test_exact_to_1e5(pair: tuple[Predictor, Path]) -> None:
    predictor, path = pair
    folded = load_folded(path)
    expected = predictor.predict_proba(TEXTS)
    found = folded.predict_proba(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert folded.predict(TEXTS) == predictor.predict(TEXTS)
    assert folded.label_names == predictor.label_names
    np.testing.assert_array_equal(folded.thresholds, predictor.thresholds)
    # One text goes another way through NumPy, and so do a few.
    for text, row in zip(TEXTS[:40], expected, strict=False):
        np.testing.assert_allclose(folded.predict_proba([text])[0], row, atol=1e-5)
    few = folded.predict_proba(TEXTS[:20])
    assert few.dtype == np.float32
    np.testing.assert_allclose(few, expected[:20], atol=1e-5)
    assert folded.predict_proba([]).shape == (0, 5)


@pytest.mark.slow
def test_compiled_and_rounded(pair: tuple[Predictor, Path]) -> None:
    predictor, path = pair
    whole = json.loads((path / "emoclf.json").read_text())
    about, parity = whole["network"], whole["parity"]
    expected = predictor.predict_proba(TEXTS)
    if about["kind"] in ("mean_embedding", "ngram_linear"):
        with pytest.raises(SettingsError, match=r"in float32\. Got 'int16'"):
            load_folded(path, precision="int16")
        return
    np.testing.assert_allclose(
        load_folded(path, precision="int16").predict_proba(TEXTS), expected, atol=2e-3
    )
    if about["pooling"] != "max":
        with pytest.raises(SettingsError, match="this network has 'average' pooling"):
            load_folded(path, engine="numba")
        return
    for precision, bound in (("float32", 1e-5), ("int16", 2e-3), ("int8", 5e-2)):
        if "refused" in parity[precision]:
            # Weights that are drawn decide less clearly than trained ones.
            assert precision == "int8"
            with pytest.raises(SettingsError, match=r"int8.*does not fit this network"):
                load_folded(path, precision="int8")
            continue
        # The first texts alone, when nothing is known of any word.
        numpy = load_folded(path, precision=precision)
        alone = np.concatenate([numpy.predict_proba([text]) for text in TEXTS[:40]])
        np.testing.assert_allclose(alone, expected[:40], atol=bound)
        found = numpy.predict_proba(TEXTS)
        np.testing.assert_allclose(found, expected, atol=bound)
        np.testing.assert_allclose(alone, found[:40], atol=1e-6)
        folded = load_folded(path, precision=precision, engine="numba")
        found = folded.predict_proba(TEXTS)
        np.testing.assert_allclose(found, expected, atol=bound)
        again = folded.predict_proba(TEXTS[3:4])
        np.testing.assert_allclose(again, found[3:4], atol=1e-6)


@pytest.mark.slow
def test_many_texts_pass_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export_folded(predictor_of({"padding": "valid"}), tmp_path / "f")
    monkeypatch.setattr(compiled, "BATCH_TEXTS", 7)
    for precision in PRECISIONS:
        expected = load_folded(path, precision=precision).predict_proba(TEXTS)
        folded = load_folded(path, precision=precision, engine="numba")
        found = folded.predict_proba(TEXTS)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=precision)


@pytest.fixture(scope="module")
def clear_cut(tmp_path_factory: Any) -> tuple[Path, list[str], np.ndarray]:
    """Return an export whose filters always or never answer, texts and predictions."""
    predictor = predictor_of({"kernel_sizes": (2, 3)})
    for size in (2, 3):
        layer = predictor.bundle.model.get_layer(f"conv_{size}")
        kernel, bias = layer.get_weights()
        bias[:3], bias[3:6] = 50, -1000
        layer.set_weights([kernel / 10, bias])
    path = export_folded(predictor, tmp_path_factory.mktemp("e") / "f")
    texts = ["", *TEXTS]
    return path, texts, predictor.predict_proba(texts)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_filters_that_always_or_never_answer(
    precision: str, clear_cut: tuple[Path, list[str], np.ndarray]
) -> None:
    path, texts, expected = clear_cut
    bound = {"float32": 1e-5, "int16": 2e-3, "int8": 5e-2}[precision]
    for engine in ("numpy", "numba"):
        folded = load_folded(path, precision=precision, engine=engine)
        found = folded.predict_proba(texts)
        np.testing.assert_allclose(found, expected, atol=bound)
        np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
        one = folded.predict_proba([""])[0]
        np.testing.assert_allclose(one, expected[0], atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "int16"])
def test_many_ask_for_one_text_at_once(precision: str, folded_path: Path) -> None:
    expected = load_folded(folded_path, precision=precision).predict_proba(TEXTS)
    # Nothing is known at first; units of int16 depend a little on what is asked first.
    folded = load_folded(folded_path, precision=precision)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            orders = [
                np.random.default_rng(i).permutation(len(TEXTS)) for i in range(8)
            ]
            jobs = [
                pool.submit(lambda o: [folded.predict_proba([TEXTS[i]]) for i in o], o)
                for o in orders
            ]
            for order, job in zip(orders, jobs, strict=True):
                found = np.concatenate(job.result())
                np.testing.assert_allclose(found, expected[order], atol=1e-4)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.slow
def test_a_long_text_alone_is_as_among_others(tmp_path: Path) -> None:
    predictor = predictor_of({"max_length": 3000})
    folded = load_folded(export_folded(predictor, tmp_path / "f"))
    texts = [" ".join(TEXTS) * times for times in (1, 2, 30)]
    expected = predictor.predict_proba(texts)
    for text, row in zip(texts, expected, strict=True):
        np.testing.assert_allclose(folded.predict_proba([text])[0], row, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_one_text_that_is_not_cut_at_spaces(pooling: str, tmp_path: Path) -> None:
    predictor = predictor_of({"pooling": pooling, "tokenizer": "jieba"})
    folded = load_folded(export_folded(predictor, tmp_path / "f"))
    expected = predictor.predict_proba(TEXTS)
    for text, row in zip(TEXTS[:40], expected, strict=False):
        np.testing.assert_allclose(folded.predict_proba([text])[0], row, atol=1e-5)


@pytest.mark.slow
def test_int8_is_a_third_and_answers_alike(tmp_path: Path) -> None:
    predictor = predictor_of({"filters": 20})
    large = export_folded(predictor, tmp_path / "large")
    small = export_folded(predictor, tmp_path / "small", int8=True)
    sizes = [
        sum(file.stat().st_size for pattern in ("emb*", "kernel*")
            for file in path.glob(pattern))
        for path in (large, small)
    ]  # fmt: skip
    # Files this small are their heads to a good part.
    assert sizes[1] < 0.6 * sizes[0]
    parity = json.loads((small / "emoclf.json").read_text())["parity"]
    assert parity["float32"]["equal_labels"] >= 0.99
    assert parity["float32"]["bound"] is None
    assert parity["bytes"] > sizes[1]
    assert load_exported(small).predict(["Word"]) == predictor.predict(["Word"])


def test_common_words_are_rounded_more_finely() -> None:
    values = np.random.default_rng(0).normal(size=(20, 7)).astype(np.float32)
    values[3] = 0
    vectors = StoredVectors(*round_vectors(values, n_fine=8))
    assert vectors.rows.dtype == np.int8
    assert len(vectors) == 20
    words = np.array([12, 3, 0, 7, 8, 19])
    assert vectors.scale is not None
    wrong = np.abs(vectors.take(words) - values[words]) / vectors.scale[words, None]
    # A sixteenth of a step is lost where the rest is half a step.
    assert wrong[[1, 2, 3]].max() <= 1 / 16 + 1e-4
    assert 1 / 16 < wrong[[0, 4, 5]].max() <= 1 / 2 + 1e-4
    assert not vectors.take(np.array([3])).any()


@pytest.mark.parametrize(
    ("row", "int8", "said"),
    [
        ({"pooling": "k-max"}, False, "'k-max' pooling does not fold: .*several"),
        ({"pooling": "local-flat"}, False, "Poolings that fold: max, average"),
        ({"architecture": "bilstm", "units": 3}, False, "'bilstm' does not fold"),
        ({"architecture": "mean_embedding"}, True, "gain nothing from int8"),
    ],
)
def test_what_does_not_fold_says_why(
    row: dict[str, Any], int8: bool, said: str, tmp_path: Path
) -> None:
    predictor = networks.random_predictor(**row)
    with pytest.raises(ExportError, match=said):
        export_folded(predictor, tmp_path / "f", int8=int8)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def folded_path(tmp_path_factory: Any) -> Path:
    place = tmp_path_factory.mktemp("with a space") / "folded"
    return export_folded(predictor_of({}), place)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"precision": "int61"}, "Got 'int61'. Did you mean 'int16'"),
        ({"engine": "nunba"}, "Did you mean 'numba'"),
    ],
)
def test_wrong_options_are_said(folded_path: Path, options: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_folded(folded_path, **options)


def test_changed_labels_are_said(folded_path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folded_path, tmp_path / "copy"))
    about = json.loads((copy / "emoclf.json").read_text())
    about["label_names"].reverse()
    for changed in (about, {**about, "files": {"x": 1}}, {"format": 1}, []):
        (copy / "emoclf.json").write_text(json.dumps(changed))
        with pytest.raises(BundleError, match=r"emoclf\.json is damaged"):
            load_folded(copy)


def test_a_classifier_goes_to_other_processes(folded_path: Path) -> None:
    folded = load_folded(folded_path, precision="int16")
    again = pickle.loads(pickle.dumps(folded))
    assert again.precision == "int16"
    np.testing.assert_array_equal(
        again.predict_proba(TEXTS), folded.predict_proba(TEXTS)
    )


def test_options_of_another_form_are_said(folded_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no option 'threads'\. It has: precision"):
        load_exported(folded_path, threads=2)


@pytest.mark.parametrize("name", ["embedding.npy", "tokenizer-classes.npy"])
def test_a_changed_or_missing_file_is_said(
    folded_path: Path, tmp_path: Path, name: str
) -> None:
    copy = Path(shutil.copytree(folded_path, tmp_path / "copy"))
    data = bytearray((copy / name).read_bytes())
    data[-7] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} is damaged: changed. Restore"):
        load_folded(copy)
    (copy / name).write_bytes(data[:-1])
    with pytest.raises(BundleError, match=f"{name} is damaged: it has"):
        load_folded(copy)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"incomplete: {name} cannot be read"):
        load_folded(copy)


@pytest.mark.slow
def test_an_export_that_answers_otherwise_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FoldedClassifier.predict_proba
    monkeypatch.setattr(
        FoldedClassifier, "predict_proba", lambda self, x: real(self, x) + 2e-5
    )
    with pytest.raises(ExportError, match="differ by 2e-05 on the text"):
        export_folded(predictor_of({}), tmp_path / "f")
    assert not list(tmp_path.iterdir())


def test_numpy_and_the_standard_library_are_enough(folded_path: Path) -> None:
    program = """
import sys
sys.stdin.reconfigure(encoding="utf-8")
from emoclf.folded.__main__ import main
code = main(sys.argv[1:])
roots = {name.partition(".")[0] for name in sys.modules}
foreign = roots - set(sys.stdlib_module_names) - {"numpy", "emoclf", "__main__"}
assert not {name for name in foreign if not name.startswith("_")}, foreign
sys.exit(code)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(folded_path)],
        input="It was LOVELY!\n\n我 :-)\n",
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folded = load_folded(folded_path)
    for line, text in zip(
        done.stdout.splitlines(), ["It was LOVELY!", "", "我 :-)"], strict=True
    ):
        chances = folded.predict_proba([text])[0]
        label = folded.label_names[chances.argmax()]
        assert line == f"{label}\t{chances.max():.4f}"


def test_a_first_answer_waits_for_nothing_that_it_does_not_need(
    folded_path: Path,
) -> None:
    program = """
import sys
import numpy
before = set(sys.modules)
from emoclf.folded import load_folded
load_folded(sys.argv[1]).predict(["It was lovely."])
print(*set(sys.modules) - before)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(folded_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "emoclf.folded.text_cnn" in imported
    # Each takes half a millisecond to twenty, of some thirty in all.
    slow = {"dataclasses", "logging", "numpy.ma", "threading", "unicodedata", "numba"}
    assert not imported & slow


def test_a_quick_answer_says_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emoclf.folded", str(tmp_path / "none"), "text"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "does not exist. An export is the folder" in done.stderr
