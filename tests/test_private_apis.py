"""Every private part of another package that emoclf uses, and what breaks without it.

Private parts may change in any release. A new release of Keras, keras-tuner or
TensorFlow that removes one fails here first, by name; and a private use that is not in
these tables fails as well.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import pytest
from keras_tuner.oracles import RandomSearchOracle
from test_imports import modules

PACKAGES = ("keras", "keras_tuner", "tensorflow")
#: Documented in spite of their names: namedtuple's methods and os._exit.
DOCUMENTED = {"_asdict", "_exit", "_fields", "_make", "_replace"}
NAME = r"(_[a-z]\w*)"


def oracle() -> Any:
    return RandomSearchOracle("val_loss", hyperparameters=keras_tuner.HyperParameters())


def masked() -> Any:
    return keras.layers.Embedding(2, 2, mask_zero=True)(keras.Input((3,)))


#: Private attribute: (object that has it, what uses it, what breaks without it).
ATTRIBUTES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "_inbound_nodes": (
        lambda: keras.layers.Dense(1),
        "doctor.model_checks",
        "check_model finds no inner softmax and no unmasked padding",
    ),
    "_keras_history": (
        lambda: keras.Input((1,)),
        "doctor.model_checks",
        "check_model cannot walk from the output to the layers before it",
    ),
    "_keras_mask": (
        masked,
        "doctor.model_checks",
        "check_model reports unmasked padding in networks with mask_zero=True",
    ),
    "_fn_kwargs": (
        lambda: keras.losses.CategoricalCrossentropy(),
        "doctor.model_checks",
        "check_model cannot tell whether a loss takes logits",
    ),
    "_actions": (
        argparse.ArgumentParser,
        "cli.shared",
        "an option between a model and its input makes a call fail",
    ),
    "_option_string_actions": (
        argparse.ArgumentParser,
        "cli.shared",
        "a mistyped option is not named with the nearest one",
    ),
    "_subparsers": (
        argparse.ArgumentParser,
        "cli.shared",
        "a mistyped option before a command is not named with the nearest one",
    ),
    "_save_trial": (
        oracle,
        "tuning.chief.strategies",
        "a kill while a trial is written leaves half a file",
    ),
}
#: (module, name): (what uses it, what breaks without it).
IMPORTS: dict[tuple[str, str], tuple[str, str]] = {
    ("keras_tuner.engine.trial", "Trial"): (
        "tuning.chief.chief",
        "the chief cannot tell idle workers to wait",
    ),
    ("tensorflow.lite.python.convert", "ConverterError"): (
        "export.litert",
        "a network that LiteRT cannot convert ends in a traceback",
    ),
    ("tensorflow.python.framework.convert_to_constants",
     "convert_variables_to_constants_v2"): (
        "export.litert",
        "the LiteRT export of recurrent networks fails",
    ),
}  # fmt: skip


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Return the name and the syntax tree of every module."""
    return [
        (f"emoclf.{name}", ast.parse(Path(path).read_text(encoding="utf-8")))
        for name, path in modules()
    ]


def defined_names() -> set[str]:
    """Return every private name that the package itself defines."""
    names: set[str] = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    names.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    names.add(name)
    return names


def accessed_names() -> dict[str, set[str]]:
    """Return the private attributes that are read, with the modules that read them."""
    names: dict[str, set[str]] = {}
    for module, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name):
                    names.setdefault(name, set()).add(module)
                case ast.Call(
                    func=ast.Name(id="getattr" | "hasattr" | "setattr"),
                    args=[_, ast.Constant(value=str(name)), *_],
                ):
                    names.setdefault(name, set()).add(module)
    return {name: used for name, used in names.items() if re.fullmatch(NAME, name)}


def classes() -> Iterator[type]:
    """Yield the package's classes that extend one of another package."""
    for name, path in modules():
        if not re.search("keras|tensorflow", Path(path).read_text(encoding="utf-8")):
            continue
        for item in vars(import_module(f"emoclf.{name}")).values():
            if inspect.isclass(item) and item.__module__ == f"emoclf.{name}":
                yield item


def source_of(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""


def inherited_names() -> set[str]:
    """Return the private names of base classes that subclasses use or override."""
    names: set[str] = set()
    for kind in classes():
        theirs, ours = "", ""
        for base in kind.__mro__:
            if base.__module__.partition(".")[0] in PACKAGES:
                theirs += source_of(base)
            elif base.__module__.startswith("emoclf."):
                ours += source_of(base)
        pattern = rf"(?:self\.|super\(\)\.|def ){NAME}"
        names |= {*re.findall(pattern, ours)} & {*re.findall(pattern, theirs)}
    return names


def private_imports() -> set[tuple[str, str]]:
    """Return what is imported from modules that are not public."""
    private = re.compile(
        r"(keras|keras_tuner|tensorflow)\..*\b(src|engine|python)\b|.*\._[a-z]"
        r"|(keras|keras_tuner)\.src\b|keras_tuner\.engine\b|tensorflow\.python\b"
    )
    names: set[tuple[str, str]] = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(module), names=aliases, level=0):
                    names |= {(module, alias.name) for alias in aliases}
                case ast.Import(names=aliases):
                    names |= {(alias.name, "") for alias in aliases}
                case ast.Attribute(attr="__internal__"):
                    names.add(("tensorflow._internal", ""))
    return {
        (module, name)
        for module, name in names
        if private.match(module) and not module.startswith("emoclf.")
    }


@pytest.mark.slow
def test_no_private_attribute_is_missing_in_the_table() -> None:
    foreign = {*accessed_names()} - defined_names() - DOCUMENTED
    assert foreign | inherited_names() == {*ATTRIBUTES}


def test_no_private_import_is_missing_in_the_table() -> None:
    assert private_imports() == {*IMPORTS}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_installed_version_has_the_attribute(name: str) -> None:
    owner, users, breaks = ATTRIBUTES[name]
    assert hasattr(owner(), name), f"{users} needs it; without it {breaks}"


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_the_installed_version_has_the_import(module: str, name: str) -> None:
    users, breaks = IMPORTS[module, name]
    assert hasattr(import_module(module), name), f"{users}: without it {breaks}"
