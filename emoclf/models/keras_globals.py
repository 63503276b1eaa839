"""Keras settings of the whole process, and the ones that networks are made under."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from emoclf.errors import ModelError
from emoclf.runtime import TENSORFLOW, check_fork, wrong_backend

_lock = threading.Lock()
_n_users = 0
_before: tuple[str, str] = ("", "")


@contextmanager
def default_keras_globals() -> Iterator[None]:
    """Build and run networks in float32 and channels-last, whatever Keras is set to.

    ``keras.json``, ``set_floatx`` and a mixed-precision policy of the user's own
    project hold for the whole process. They have their values back afterwards.

    Raises
    ------
    ModelError
        If Keras runs on another backend than TensorFlow, or this process was forked
        after TensorFlow had been used.
    """
    if keras.config.backend() != TENSORFLOW:
        raise ModelError(wrong_backend(keras.config.backend()))
    check_fork()
    global _n_users, _before
    # All threads share these: the first that enters sets them, the last resets them.
    with _lock:
        if _n_users == 0:
            _before = (keras.config.floatx(), keras.config.image_data_format())
            keras.config.set_floatx("float32")
            keras.config.set_image_data_format("channels_last")
        _n_users += 1
    # Each thread has a policy of its own.
    policy = keras.config.dtype_policy()
    if policy.name != "float32":
        keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        if policy.name != "float32":
            keras.config.set_dtype_policy(policy)
        with _lock:
            _n_users -= 1
            if _n_users == 0:
                keras.config.set_floatx(_before[0])
                keras.config.set_image_data_format(_before[1])


def check_no_strategy() -> None:
    """Raise ModelError within the scope of a distribution strategy.

    Raises
    ------
    ModelError
    """
    if tf.distribute.has_strategy():
        name = type(tf.distribute.get_strategy()).__name__
        raise ModelError(
            f"emoclf trains on one device, and cannot train in the scope of a {name}. "
            "Train outside of `with strategy.scope():`."
        )
