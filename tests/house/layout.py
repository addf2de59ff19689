"""The tests mirror the source, file for file.

``hubd/core/hub.py`` is tested by ``tests/hubd/core/test_hub.py``, and, where that would grow too long, by
``test_hub_*.py`` beside it. A module without logic (values, constants, protocols) needs no test; ``__init__``
and ``__main__`` may have one, as ``test_init.py`` and ``test_main.py``.
"""

import ast
from pathlib import Path

from tests.house.tree import SOURCES, python

EXEMPT = {"__init__", "__main__"}


def has_logic(source: str) -> bool:
    """Tell whether any function of this module does something."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not all(map(_idle, node.body))
        for node in ast.walk(ast.parse(source))
    )


def _idle(statement: ast.stmt) -> bool:
    """Tell whether this is a docstring, ``...`` or ``pass``."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def untested(root: Path) -> list[str]:
    """Return a line for each module with logic that has no test file."""
    found = []
    for home, mirror in SOURCES.items():
        for path in python(root, home):
            test = root / mirror / path.relative_to(root / home).with_name(f"test_{path.name}")
            if path.stem not in EXEMPT and not test.is_file() and has_logic(path.read_text("utf-8")):
                found.append(f"{path.relative_to(root)}: no {test.relative_to(root)}")
    return found


def orphans(root: Path) -> list[str]:
    """Return a line for each test file in a mirror that tests no module there is."""
    found = []
    for home, mirror in SOURCES.items():
        for path in python(root, mirror):
            if not path.name.startswith("test_"):
                continue
            folder = root / home / path.parent.relative_to(root / mirror)
            modules = {module.stem.strip("_") for module in folder.glob("*.py")}
            aspect = path.stem.removeprefix("test_")
            if not any(aspect == module or aspect.startswith(f"{module}_") for module in modules):
                found.append(f"{path.relative_to(root)}: no such module in {folder.relative_to(root)}")
    return found
