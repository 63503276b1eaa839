"""Predictions in batches; tests of emoclf.models.inference."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import ref

import contracts
import keras
import numpy as np
import pytest

from emoclf.batching import pad, stack
from emoclf.models import inference
from emoclf.models.build import build_model
from emoclf.models.heads import LOGITS
from emoclf.models.inference import BatchedModel


def test_vectors_and_their_mask() -> None:
    settings = contracts.settings_for("text_cnn", "static")
    model = build_model(settings, n_classes=3, embedded_dim=contracts.DIM)
    rows = [contracts.matrix()[ids] for ids in contracts.texts(3, 1, 0, 9, 6)]
    expected = model(stack(rows)).numpy()
    np.testing.assert_allclose(BatchedModel(model)(rows), expected, atol=1e-6)


def test_threads_trace_a_network_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = contracts.build(contracts.settings_for("mean_embedding", "static"))
    calls, trace = [], inference._traced

    def counted(network: keras.Model) -> Any:
        calls.append(network)
        return trace(network)

    monkeypatch.setattr(inference, "_traced", counted)
    ids = contracts.texts(3, 9)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: BatchedModel(model)(ids), range(8)))
    assert len(calls) == 1
    assert all(np.array_equal(result, results[0]) for result in results)


def test_a_network_is_traced_once_and_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = contracts.build(contracts.settings_for("mean_embedding", "static"))
    ids = contracts.texts(3, 9)
    before = BatchedModel(model)(ids)
    monkeypatch.delattr("emoclf.models.inference._traced")
    model.get_layer(LOGITS).bias.assign([9.0, 0.0, 0.0])
    after = BatchedModel(model)(ids)
    assert (after[:, 0] > before[:, 0]).all()
    np.testing.assert_allclose(after, model(pad(ids)).numpy(), atol=1e-6)
    reference = ref(model)
    del model
    gc.collect()
    assert reference() is None
