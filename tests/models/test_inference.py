"""Predictions in batches; tests of emoclf.models.inference."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import contracts
import numpy as np

from emoclf.batching import pad
from emoclf.models.heads import LOGITS
from emoclf.models.inference import BatchedModel


def test_a_network_is_traced_once_and_freed() -> None:
    model = contracts.build(contracts.settings_for("mean_embedding", "static"))
    ids = contracts.texts(3, 9)
    before = BatchedModel(model)(ids)
    second = BatchedModel(model)
    model.get_layer(LOGITS).bias.assign([9.0, 0.0, 0.0])
    after = second(ids)
    assert (after[:, 0] > before[:, 0]).all()
    np.testing.assert_allclose(after, model(pad(ids)).numpy(), atol=1e-6)
    traced: Any = second._traced
    assert traced.experimental_get_tracing_count() == 1
    reference = ref(model)
    del model, second, traced
    gc.collect()
    assert reference() is None
