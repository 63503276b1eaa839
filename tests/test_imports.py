"""What may import what, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from configparser import ConfigParser
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import emoclf
from emoclf._moved import MODULES

ROOT = Path(__file__).parent.parent
HEAVY = {"tensorflow", "keras", "keras_tuner", "sklearn", "pandas", "gensim", "scipy"}
EXTRAS = {"cleanlab", "jieba", "pyarrow", "matplotlib", "jinja2", "argcomplete"}
EXTRAS |= {"onnx", "onnxruntime", "tf2onnx", "ai_edge_litert", "torch", "transformers"}
EXTRAS |= {"accelerate", "defusedxml"}

# Later stages know earlier ones, never the other way round.
STAGES = [
    ("errors", "display", "_version", "_moved", "evaluation.metric_names"),
    ("optional", "files", "batching", "runtime", "fingerprint"),
    ("plots",),
    ("settings.base", "settings.sections", "models.registry"),
    ("settings", "settings.run_settings"),
    ("text",),
    ("datasets",),
    ("classifier", "export.formats", "bundle.described_folder", "bundle.json_values"),
    ("serving",),
    ("folded",),
    ("ready",),
    ("embeddings",),
    ("contextual",),
    ("models",),
    ("doctor",),
    ("training",),
    ("bundle",),
    ("contextual.fine_tuned_card",),
    ("contextual.transformer_classifier",),
    ("predictor",),
    ("evaluation",),
    ("contextual.trainer_run", "contextual.fine_tune"),
    ("audit",),
    ("bulk",),
    ("workflow",),
    ("distillation",),
    ("export", "estimator", "estimator_labels"),
    ("aspects.data",),
    ("aspects.aspect_checkpoints", "aspects.aspect_vectors"),
    ("aspects.terms",),
    ("aspects.polarities",),
    ("aspects",),
    ("explain",),
    ("tuning.space", "tuning.results", "tuning.limits", "tuning.plan"),
    ("tuning.folder",),
    ("tuning.trials",),
    ("tuning.chief",),
    ("tuning.report",),
    ("tuning.finish",),
    ("tuning.search", "tuning"),
    ("report",),
    ("cli", "__main__", "tuning.__main__"),
]
# An architecture's file holds its settings too, and those are read by settings.run.
STAGE_OF = {name: number for number, names in enumerate(STAGES) for name in names}


def stage(module: str) -> int:
    """Return the stage of a module such as ``models.text_cnn``."""
    parts = module.split(".")
    while parts:
        name = ".".join(parts)
        if name in STAGE_OF:
            return STAGE_OF[name]
        parts.pop()
    raise AssertionError(f"{module} has no stage; add it to STAGES")


def modules() -> list[tuple[str, Path]]:
    """Return every module by its name within the package."""
    found = []
    for folder, prefix in ((ROOT / "emoclf", ""), (ROOT / "tuning", "tuning")):
        for path in sorted(folder.rglob("*.py")):
            parts = [*path.relative_to(folder).with_suffix("").parts]
            if parts[-1] == "__init__":
                parts.pop()
            name = ".".join([*([prefix] if prefix else []), *parts])
            if name:
                found.append((name, path))
    return found


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Return what a file imports, and whether only for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.dump(guard.test)
        for node in ast.walk(guard)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # only tuning has relative imports
                inside = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join(("emoclf", *inside, *filter(None, [module])))
            found.append((module, id(node) in typing_only))
        elif isinstance(node, ast.Import):
            found += [(alias.name, id(node) in typing_only) for alias in node.names]
    return found


def test_modules_import_no_later_stage() -> None:
    wrong = [
        f"{name} imports {imported}, a later stage"
        for name, path in modules()
        for imported, typing_only in imports(path)
        if imported.startswith("emoclf.")
        and not typing_only
        and stage(imported.removeprefix("emoclf.")) > stage(name)
    ]
    assert not wrong


# Parallel sets: a command is named like what it calls, a writer of a format like its
# reader, a folded architecture like the network that it was.
PARALLEL = [{"cli"}, {"export", "serving"}, {"models", "folded"}]


def test_no_two_modules_share_a_name() -> None:
    rooms: dict[str, list[str]] = {}
    for name, path in modules():
        if not path.stem.startswith("__"):
            rooms.setdefault(path.stem, []).append(name.split(".")[0])
    for stem, homes in rooms.items():
        others = [home for home in homes if home != "cli"]
        parallel = len({*others}) == len(others) and {*others} in PARALLEL
        assert len(others) < 2 or parallel, f"{stem} is in {', '.join(homes)}"


#: Names of moved modules that the package does not export.
INNER_NAMES = {
    "emoclf.aspects.aspect_split": "divide",  # in a notebook
    "emoclf.aspects.polarity_network": "PolaritySettings",  # in pickles
}


@pytest.mark.parametrize("old", sorted(MODULES))
def test_old_import_paths_work_and_warn(old: str) -> None:
    names = [name for name, home in emoclf._HOME.items() if home == MODULES[old]]
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} is deprecated.*Use"):
        module = import_module(old)
    for name in names:
        assert getattr(module, name) is getattr(emoclf, name)
    if not names:
        name = INNER_NAMES[old]
        assert getattr(module, name) is getattr(import_module(MODULES[old]), name)


def test_setup_cfg_lists_every_package() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = config["options"]["packages"].split()
    folders = [
        ".".join(("emoclf", *path.parent.relative_to(ROOT).parts)).replace(
            "emoclf.emoclf", "emoclf"
        )
        for name in ("emoclf", "tuning")
        for path in (ROOT / name).rglob("__init__.py")
    ]
    assert sorted(listed) == sorted(folders)


def test_nobody_imports_tuning_as_a_module_of_its_own() -> None:
    for name, path in modules():
        for imported, _ in imports(path):
            assert imported.split(".")[0] != "tuning", name


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_import_is_light() -> None:
    loaded = run(
        "import sys, emoclf, emoclf.cli\n"
        "try:\n    emoclf.cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sys.modules)"
    )
    assert not HEAVY & set(loaded.split())


def test_every_public_name_loads() -> None:
    for name in emoclf.__all__:
        assert getattr(emoclf, name) is not None
    others = {"__version__", "register_layers"}
    assert {*emoclf.__all__, *emoclf._RENAMED} - others == set(emoclf._HOME)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        emoclf.Classifier  # noqa: B018


def test_extras_come_in_through_one_door() -> None:
    for name, path in modules():
        for imported, _ in imports(path):
            top = imported.split(".")[0]
            assert top not in EXTRAS, name
