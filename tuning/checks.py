"""What numbers of a search must be, before they are compared with any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emoclf.errors import SearchError


def check_numbers(
    *, whole: Mapping[str, Any], any_number: Mapping[str, Any] | None = None
) -> None:
    """Refuse what is no number where one is needed; None stands for one not given.

    Raises
    ------
    SearchError
    """
    for values, known, called in (
        (whole, int, "a whole number, an int"),
        (any_number or {}, (int, float), "a number, an int or float"),
    ):
        for name, value in values.items():
            wrong = isinstance(value, bool) or not isinstance(value, known)
            if value is not None and wrong:
                raise SearchError(
                    f"{name} must be {called}. Got {value!r} ({type(value).__name__})."
                )
