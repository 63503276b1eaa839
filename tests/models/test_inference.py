"""Predictions in batches; tests of emoclf.models.inference."""

from __future__ import annotations

import contracts
import numpy as np

from emoclf.batching import stack
from emoclf.models.build import build_model
from emoclf.models.inference import BatchedModel


def test_vectors_and_their_mask() -> None:
    settings = contracts.settings_for("text_cnn", "static")
    model = build_model(settings, n_classes=3, embedded_dim=contracts.DIM)
    rows = [contracts.matrix()[ids] for ids in contracts.texts(3, 1, 0, 9, 6)]
    expected = model(stack(rows)).numpy()
    np.testing.assert_allclose(BatchedModel(model)(rows), expected, atol=1e-6)


def test_a_network_is_traced_once_and_sees_new_weights() -> None:
    settings = contracts.settings_for("text_cnn", "static")
    model = build_model(settings, n_classes=3, embedded_dim=contracts.DIM)
    predict = BatchedModel.of(model)
    assert BatchedModel.of(model) is predict
    rows = [contracts.matrix()[ids] for ids in contracts.texts(3, 6)]
    before = predict(rows)
    model.set_weights([2 * weights for weights in model.get_weights()])
    assert np.abs(predict(rows) - before).max() > 0.01
    np.testing.assert_allclose(predict(rows), model(stack(rows)).numpy(), atol=1e-6)
    other = build_model(settings, n_classes=3, embedded_dim=contracts.DIM)
    assert BatchedModel.of(other) is not predict
