"""Predictions in batches; tests of emoclf.models.inference."""

from __future__ import annotations

import gc
from weakref import ref

import contracts
import numpy as np
import pytest

from emoclf.batching import pad
from emoclf.models.heads import LOGITS
from emoclf.models.inference import BatchedModel


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
