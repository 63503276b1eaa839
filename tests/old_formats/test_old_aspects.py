"""An aspect model without a linear part keeps loading, and answers the same.

The archive has a model, with word vectors, as emoclf 0.6.0 wrote it before polarity
networks got their linear part, and its answers. It is never changed.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.opinions import Opinion

ARCHIVE = Path(__file__).with_name("aspects-0.6.0-without-linear-part.tar.xz")


@pytest.mark.slow
def test_it_answers_the_same_and_can_be_saved_again(tmp_path: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    expected = json.loads((tmp_path / "answers.json").read_text("utf-8"))
    rows = [[Opinion(*x) for x in row] for row in expected["opinions"]]
    assert sum(map(len, rows)) == 4
    model = AspectModel.load(tmp_path / "model.aspects")
    again = AspectModel.load(model.save(tmp_path / "again.aspects"))
    for loaded in (model, again):
        assert loaded.polarity is not None
        settings = loaded.polarity.model_.settings
        assert (settings.members, settings.linear_share) == (2, 0.0)
        found = loaded.predict(expected["texts"])
        for some, others in zip(found, rows, strict=True):
            assert [x[:4] for x in some] == [x[:4] for x in others]
            for one, other in zip(some, others, strict=True):
                assert one[4:] == pytest.approx(other[4:], abs=1e-5)
