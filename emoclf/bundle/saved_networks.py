"""Networks built again from weights that anybody may have written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import keras
import numpy as np

from emoclf.errors import BundleError

Network = TypeVar("Network")


def rebuild(
    build: Callable[[], Network],
    weights: Mapping[str, np.ndarray],
    variables_of: Callable[[Network], Sequence[Any]],
) -> Network:
    """Return a network with its weights set, after all shapes were compared.

    Parameters
    ----------
    build : function
        Builds the network.
    weights : mapping of str to ndarray
        Weights by the paths of their variables.
    variables_of : function
        Returns the variables of a network.

    Raises
    ------
    BundleError
        If weights are missing, have another shape, or are not finite.
    """
    for path, value in weights.items():
        if not np.isfinite(value).all():
            raise BundleError(
                f"The weights of {path} contain numbers that are not finite."
            )

    def check() -> None:
        # Without initial values nothing is allocated, however large the settings are.
        with keras.StatelessScope(initialize_variables=False):
            for variable in variables_of(build()):
                value = weights.get(variable.path)
                if value is None or tuple(variable.shape) != value.shape:
                    actual = "no weights" if value is None else value.shape
                    raise BundleError(
                        f"The weights of {variable.path} must have the shape "
                        f"{tuple(variable.shape)}. Got {actual}."
                    )

    # Keras keeps variables without values in a list of their thread, and would make up
    # for them later.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(check).result()
    network = build()
    for variable in variables_of(network):
        variable.assign(weights[variable.path])
    return network


def weights_of(weights: Mapping[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    """Return the weights of one network of several, whose names begin with a number."""
    prefix = f"{number}/"
    selected = {path: x for path, x in weights.items() if path.startswith(prefix)}
    return {path.removeprefix(prefix): value for path, value in selected.items()}
