"""What the README shows is true: its Python runs, its commands parse."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from emoclf._version import __version__
from emoclf.cli import build_parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)
COMMANDS = [
    line.removeprefix("$ ").split("| ")[-1]
    for block in re.findall(r"```console\n(.*?)```", README, re.S)
    for line in block.splitlines()
]


@pytest.mark.slow
def test_python_snippets_run_and_answer_as_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    shown = 0
    for snippet in PYTHON:
        lines = snippet.splitlines()
        for node in ast.parse(snippet).body:
            source = ast.get_source_segment(snippet, node)
            assert source is not None
            if not isinstance(node, ast.Expr):
                exec(source, names)
                continue
            value = eval(source, names)
            after = lines[node.end_lineno] if node.end_lineno < len(lines) else ""
            if after.startswith("# "):
                shown += 1
                found = value.tolist() if hasattr(value, "tolist") else value
                assert repr(found) == after.removeprefix("# ")
    assert shown == 6
    assert "TF-IDF + linear SVM" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command: str) -> None:
    program, *args = shlex.split(command)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{args[0]}:", makefile, re.M)
    elif "pip" in args:
        extra = re.search(r"\[(\w+)\]", args[-1])
        assert extra
        assert f"\n{extra[1]} =\n" in (ROOT / "setup.cfg").read_text("utf-8")
    else:
        assert program == "emoclf"
        assert build_parser(args).parse_args(args).run


def test_the_changelog_begins_with_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[(\d.*?)\]", changelog, re.M).group(1) == __version__
