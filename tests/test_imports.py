"""What may import what, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import emoclf

ROOT = Path(__file__).parent.parent
HEAVY = {"tensorflow", "keras", "keras_tuner", "sklearn", "pandas", "gensim", "scipy"}
EXTRAS = {"jieba", "pyarrow", "matplotlib"}
EXTRAS |= {"onnx", "onnxruntime", "tf2onnx", "ai_edge_litert"}

# Later stages know earlier ones, never the other way round.
STAGES = [
    ("errors", "_version"),
    ("optional", "files", "padding", "quiet", "threads"),
    ("settings.base", "settings.sections", "models.registry"),
    ("settings", "settings.run"),
    ("datasets",),
    ("text",),
    ("classifier",),
    ("exported",),
    ("folded",),
    ("embeddings",),
    ("models",),
    ("training",),
    ("bundle", "card"),
    ("bundle_folder",),
    ("predictor",),
    ("bulk",),
    ("inputs", "pipeline"),
    ("evaluation",),
    ("job", "compare", "export", "estimator"),
    ("tuning",),
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
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, id(node) in typing_only))
        elif isinstance(node, ast.Import):
            found += [(alias.name, id(node) in typing_only) for alias in node.names]
    return found


@pytest.mark.parametrize(
    ("name", "path"), modules(), ids=lambda value: str(value)[-40:]
)
def test_arrows_go_one_way(name: str, path: Path) -> None:
    own = stage(name)
    for imported, typing_only in imports(path):
        if not imported.startswith("emoclf.") or typing_only:
            continue
        inner = imported.removeprefix("emoclf.")
        # A parent package's own name stands for its light __init__.
        assert stage(inner) <= own, f"{name} imports {imported}, a later stage"


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
    assert set(emoclf.__all__) - {"__version__"} == set(emoclf._HOME)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        emoclf.Classifier  # noqa: B018


def test_extras_come_in_through_one_door() -> None:
    for name, path in modules():
        for imported, _ in imports(path):
            top = imported.split(".")[0]
            assert top not in EXTRAS, name
