"""How long files and functions may be: hard limits everywhere, medians for the source."""

import ast
from pathlib import Path
from statistics import median

from tests.house.tree import ROOT, SOURCES, files, python

FILE_LIMIT, FILE_MEDIAN = 500, 150
FUNCTION_LIMIT, FUNCTION_MEDIAN = 80, 10
CODE = {".css", ".html", ".j2", ".js", ".mjs", ".py", ".sh"}


def file_lines(path: Path) -> int:
    """Return the number of lines, counting the one after the last newline."""
    return path.read_text("utf-8").count("\n") + 1


def functions(path: Path) -> dict[str, int]:
    """Return the length in lines of each function, decorators aside, by ``name:line``."""
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def too_long(root: Path = ROOT) -> list[str]:
    """Return a line for each file and function over its hard limit."""
    found = [
        f"{path.relative_to(root)}: {lines} lines (limit {FILE_LIMIT})"
        for path in files(root)
        if path.suffix in CODE and (lines := file_lines(path)) > FILE_LIMIT
    ]
    found += [
        f"{path.relative_to(root)}: {name} has {lines} lines (limit {FUNCTION_LIMIT})"
        for path in python(root)
        for name, lines in functions(path).items()
        if lines > FUNCTION_LIMIT
    ]
    return found


def medians(root: Path = ROOT) -> tuple[float, float]:
    """Return the median lines of a source file and of a source function (0 where there is none)."""
    paths = python(root, *SOURCES)
    per_function = [lines for path in paths for lines in functions(path).values()]
    return median([file_lines(path) for path in paths] or [0]), median(per_function or [0])
