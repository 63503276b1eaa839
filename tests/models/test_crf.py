"""The CRF layer, against all paths of small cases and a second implementation."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from emoclf.models.crf import CRF, FORBIDDEN, tag_constraints

BIO = ("O", "B-food", "I-food", "B-staff", "I-staff")
BIOES = ("O", "B", "I", "E", "S")


def random_crf(
    n_tags: int, seed: int = 0, constraints: dict[str, Any] | None = None
) -> CRF:
    """Return a layer with random scores."""
    layer = CRF(n_tags, **(constraints or {}))
    layer.build((None, None, n_tags))
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def random_emissions(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def path_and_marginals(layer: CRF, *inputs: Any, **options: Any) -> list[np.ndarray]:
    return [
        np.array(layer(*inputs, **options, output=output))
        for output in ("path", "marginals")
    ]


def all_paths(layer: CRF, emissions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every path of one text, and its score in float64, by the definition."""
    start, steps, end = (np.asarray(x, np.float64) for x in layer.scores())
    n_tags = layer.n_tags
    paths = np.array(list(product(range(n_tags), repeat=len(emissions))))
    scores = []
    for path in paths:
        score = start[path[0]] + end[path[-1]]
        score += sum(emissions[t, tag] for t, tag in enumerate(path))
        score += sum(steps[a, b] for a, b in pairwise(path))
        scores.append(score)
    return paths, np.array(scores)


def log_sum(scores: np.ndarray) -> float:
    return float(np.logaddexp.reduce(scores))


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("tags", [("a", "b", "c"), BIO, BIOES])
def test_likelihood_path_and_marginals_are_those_of_all_paths(
    tags: tuple[str, ...], length: int
) -> None:
    constraints = tag_constraints(tags) if "O" in tags else None
    layer = random_crf(len(tags), constraints=constraints)
    emissions = random_emissions(1, length, len(tags))
    paths, scores = all_paths(layer, emissions[0])
    log_z = log_sum(scores)
    best, marginals = layer(emissions), layer(emissions, output="marginals")
    assert np.array(best)[0].tolist() == paths[scores.argmax()].tolist()
    probabilities = np.exp(scores - log_z)
    expected = [
        [probabilities[paths[:, t] == tag].sum() for tag in range(len(tags))]
        for t in range(length)
    ]
    np.testing.assert_allclose(np.array(marginals)[0], expected, atol=2e-6)
    pairs = np.array(layer(emissions, output="pairs"))[0]
    assert not pairs[0].any()
    for t in range(1, length):
        for a, b in product(range(len(tags)), repeat=2):
            both = probabilities[(paths[:, t - 1] == a) & (paths[:, t] == b)].sum()
            assert pairs[t, a, b] == pytest.approx(both, abs=2e-6)
    for number in np.argsort(-scores)[:3]:
        if scores[number] < FORBIDDEN / 2:
            continue
        found = float(layer(emissions, tags=paths[None, number])[0])
        assert found == pytest.approx(scores[number] - log_z, abs=2e-5)


def test_padding_anywhere_changes_nothing() -> None:
    layer = random_crf(5, constraints=tag_constraints(BIO))
    emissions = random_emissions(1, 4, 5)
    tags = np.array([[1, 2, 0, 3]])
    alone = float(layer(emissions, tags=tags)[0])
    path, marginals = (x[0] for x in path_and_marginals(layer, emissions))
    for places in ([0, 1, 2, 3], [3, 4, 5, 6], [0, 2, 3, 6]):
        padded = random_emissions(1, 7, 5, seed=9) * 50
        mask, padded_tags = np.zeros((1, 7), bool), np.full((1, 7), 4)
        padded[0, places], mask[0, places] = emissions[0], True
        padded_tags[0, places] = tags[0]
        likelihood = layer(padded, mask=mask, tags=padded_tags)
        assert float(likelihood[0]) == pytest.approx(alone, abs=1e-5)
        found_path, found = (x[0] for x in path_and_marginals(layer, padded, mask=mask))
        assert found_path[places].tolist() == path.tolist()
        np.testing.assert_allclose(found[places], marginals, atol=1e-6)
        assert not found[~mask[0]].any()
        assert not found_path[~mask[0]].any()


def test_a_text_without_tokens_has_probability_one() -> None:
    layer = random_crf(3)
    mask = np.zeros((1, 4), bool)
    likelihood = layer(random_emissions(1, 4, 3), mask=mask, tags=np.zeros((1, 4), int))
    assert float(likelihood[0]) == 0.0


@pytest.mark.slow
def test_gradients_are_finite_differences() -> None:
    layer = random_crf(5, constraints=tag_constraints(BIO))
    mask = np.array([[True] * 4, [True, True, False, False]])
    tags = np.array([[1, 2, 0, 3], [0, 1, 0, 0]])
    emissions = tf.Variable(random_emissions(2, 4, 5))

    @tf.function
    def mean() -> Any:
        return tf.reduce_sum(layer(emissions, mask=mask, tags=tags))

    with tf.GradientTape() as tape:
        value = mean()
    variables = [emissions, *(weight.value for weight in layer.weights)]
    gradients = tape.gradient(value, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        before = variable.numpy()
        for place in np.ndindex(*before.shape):
            ends = []
            for step in (1e-2, -1e-2):
                moved = before.copy()
                moved[place] += step
                variable.assign(moved)
                ends.append(float(mean()))
            variable.assign(before)
            expected = (ends[0] - ends[1]) / 2e-2
            assert float(gradient[place]) == pytest.approx(expected, abs=2e-3)


@pytest.mark.slow
def test_long_texts_are_stable() -> None:
    length = 1000
    layer = random_crf(5, constraints=tag_constraints(BIOES))
    emissions = random_emissions(1, length, 5) * 20

    @tf.function
    def answers(values: tf.Tensor) -> list[tf.Tensor]:
        outputs = [layer(values, output=name) for name in ("path", "marginals")]
        return [*outputs, layer.log_partition(values)]

    path, marginals, (partition,) = (x.numpy() for x in answers(tf.constant(emissions)))
    np.testing.assert_allclose(marginals.sum(-1), 1.0, atol=1e-5)
    # The same recursion in float64.
    start, steps, end = (np.asarray(x, np.float64) for x in layer.scores())
    alpha = start + emissions[0, 0]
    for row in emissions[0, 1:]:
        alpha = row + np.logaddexp.reduce(alpha[:, None] + steps, axis=0)
    log_z = log_sum(alpha + end)
    assert partition == pytest.approx(log_z, rel=1e-6)
    allowed = np.array(layer.allowed)
    assert allowed[path[0, :-1], path[0, 1:]].all()

    @tf.function
    def gradient(values: tf.Tensor) -> tf.Tensor:
        return tf.gradients(layer(values, tags=path), values)[0]

    assert np.isfinite(gradient(tf.constant(emissions)).numpy()).all()


def test_constraints_hold_whatever_the_emissions_say() -> None:
    tags = BIO
    layer = random_crf(len(tags), constraints=tag_constraints(tags))
    emissions = np.zeros((1, 3, 5), np.float32)
    emissions[0, 0, 1] = emissions[0, 1, 4] = emissions[0, 2, 2] = 100.0
    path = np.array(layer(emissions))[0]
    names = [tags[i] for i in path]
    for before, after in zip(["O", *names], names, strict=False):
        assert not after.startswith("I") or before[1:] == after[1:]
    assert FORBIDDEN < float(layer.log_likelihood(emissions, path[None])[0]) <= 0


def test_bioes_constraints() -> None:
    found = tag_constraints(BIOES)
    allowed = {
        (a, b)
        for i, a in enumerate(BIOES)
        for j, b in enumerate(BIOES)
        if found["allowed"][i][j]
    }
    ends = {(a, b) for a in "OES" for b in "OBS"}
    assert allowed == ends | {(a, b) for a in "BI" for b in "IE"}
    assert found["allowed_start"] == [True, True, False, False, True]
    assert found["allowed_end"] == [True, False, False, True, True]


def tagging_models(seed: int = 0) -> tuple[keras.Model, keras.Model]:
    """Return a small model for training and one for tagging, with shared layers."""
    keras.utils.set_random_seed(seed)
    ids = keras.Input((None,), dtype="int32")
    tags = keras.Input((None,), dtype="int32")
    mask = keras.ops.not_equal(ids, 0)
    features = keras.layers.Embedding(9, 8)(ids)
    emissions = keras.layers.Dense(3)(features)
    crf = CRF(3, **tag_constraints(["O", "B", "I"]), name="crf")
    likelihood = crf(emissions, mask=mask, tags=tags)
    outputs = [crf(emissions, mask=mask), crf(emissions, mask=mask, output="marginals")]
    return keras.Model([ids, tags], likelihood), keras.Model(ids, outputs)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_learns_and_the_model_is_saved(jit_compile: bool, tmp_path: Path) -> None:
    training, tagging = tagging_models()
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 9, (64, 6))
    ids[:, 4:] *= rng.integers(0, 2, (64, 2)).cumprod(1)
    ids[32:, 5] = 0
    # The tags follow from neighbouring ids, so that transitions must be learnt.
    begins = ids == 8
    inside = np.roll(begins, 1, axis=1) & ~begins & (ids > 0)
    inside[:, 0] = False
    tags = np.where(begins, 1, np.where(inside, 2, 0))
    training.compile(
        keras.optimizers.Adam(0.05),
        loss=lambda _, likelihood: -likelihood,
        jit_compile=jit_compile,
    )
    unknown = tf.TensorSpec((None, None), tf.int32)
    # Batches of different lengths, as of texts.
    batches = tf.data.Dataset.from_generator(
        lambda: (
            ((ids[rows, :cut], tags[rows, :cut]), np.zeros(32))
            for rows, cut in ((slice(32), 6), (slice(32, 64), 5))
        ),
        output_signature=((unknown, unknown), tf.TensorSpec((None,), tf.float32)),
    ).apply(tf.data.experimental.assert_cardinality(2))
    history = training.fit(batches, epochs=30, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < 0.2 * history[0]
    path, marginals = tagging.predict(ids, verbose=0)
    assert (path == tags)[ids > 0].mean() > 0.97
    tagging.save(tmp_path / "tagging.keras")
    loaded = keras.models.load_model(tmp_path / "tagging.keras")
    for found, expected in zip(
        loaded.predict(ids, verbose=0), (path, marginals), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_wrong_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match=r"allowed must have the shape \(3, 3\)"):
        CRF(3, allowed=[[True, False], [True, True]])
    with pytest.raises(ValueError, match="must have 3 columns, one for each tag"):
        CRF(3)(np.zeros((1, 2, 4), np.float32))
