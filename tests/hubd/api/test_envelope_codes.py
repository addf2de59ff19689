"""Every error code that can reach a caller stands in docs/api.md, with its meaning and what to do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, python

#: Where in a call the code stands, by what is called; a call without that argument means the default.
PLACES = {
    "AccessError": 1,
    "ActionError": 0,
    "BusyError": 0,
    "CommandError": 1,
    "DriverError": 1,
    "HubError": 0,
    "KeypadError": 0,
    "NotFoundError": 0,
    "Outcome": 1,
    "RefusedError": 0,
    "RouteError": 1,
    "StoreError": 0,
    "ThermostatError": 0,
    "Weakness": 0,
    "_Meaning": 1,
    "_ended": 1,
    "_failed": 0,
    "_lose": 0,
    "_refusal": 1,
    "_unconfirmed": 1,
    "expired": 1,
    "rejected": 0,
    "sent_unconfirmed": 1,
    "unreachable": 0,
}
DEFAULTS = {"deadline_exceeded", "invalid_input", "not_supported", "rate_limited", "sent_unconfirmed"}
#: Put together when they are raised.
BUILT = {"inclusion_not_stopped", "exclusion_not_stopped"}
#: Told at the command line and in the log, before or without an API.
OUT_OF_REACH = re.compile(r"hubd/(app|box|cli|client|config|offline|sim|tapes|tls|driver/registry)\.py|hubd/web/.*")
AT_START = {"cannot_listen", "database_newer", "key_damaged"}
#: The API has Seam's own word for it.
RENAMED = {"flaky_connection"}
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+|unauthorized|forbidden|damaged|locked|stopping")


def constants(tree: ast.Module) -> dict[str, str]:
    """Return the module's text constants by name."""
    found = {}
    for node in tree.body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[target.id] = value.value
    return found


def codes(path: Path) -> Iterator[str]:
    """Yield the codes that a module raises or returns."""
    tree = ast.parse(path.read_text("utf-8"))
    named = constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from (code for value in node.values for code in _code_and_sentence(value))
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and node.value is not None:
            yield from _code_and_sentence(node.value)
        if isinstance(node, ast.BoolOp):
            yield from (code for value in node.values for code in _code_and_sentence(value))
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = PLACES.get(name)
        given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if place is not None and place < len(node.args):
            given.append(node.args[place])
        for part in (inner for argument in given for inner in ast.walk(argument)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
            elif isinstance(part, ast.Name) and part.id in named:
                yield named[part.id]


def _code_and_sentence(node: ast.AST) -> Iterator[str]:
    """Yield the first of several texts of which the second is prose."""
    match node:
        case ast.Tuple(elts=[ast.Constant(value=str(code)), ast.Constant(value=str(words)), *_]) if " " in words:
            yield code
        case ast.Tuple(elts=[ast.Constant(value=str(code)), ast.JoinedStr() | ast.Name(id="message"), *_]):
            yield code
        case _:
            pass


def all_codes() -> dict[str, str]:
    """Return every code with one file that uses it."""
    found = dict.fromkeys(DEFAULTS, "hubd/model") | dict.fromkeys(BUILT, "drivers/hubd_drivers/zwave")
    for path in python(ROOT, "hubd", "drivers/hubd_drivers"):
        name = str(path.relative_to(ROOT))
        if not OUT_OF_REACH.fullmatch(name):
            found |= {code: name for code in codes(path) if CODE.fullmatch(code) and code not in AT_START | RENAMED}
    return found


def test_every_code_is_explained() -> None:
    told = set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "docs" / "api.md").read_text("utf-8")))
    missing = {code: file for code, file in all_codes().items() if code not in told}
    assert not missing, f"give each of these a row in docs/api.md: {missing}"


def test_nothing_is_explained_that_no_code_raises() -> None:
    """The tables of errors: those with a status or an outcome first have four columns, that with a hop two."""
    firsts = {4: r"\d{3}|[a-z]+ed|unreachable|sent_unconfirmed", 2: r"any|\w+ \(\w+\)"}
    told: set[str] = set()
    for line in (ROOT / "docs" / "api.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if (first := firsts.get(len(cells))) is not None and re.fullmatch(first, cells[0]):
            told |= {*re.findall(r"`(\w+)`", cells[1])}
    assert len(told) > 80
    assert told <= all_codes().keys(), told - all_codes().keys()


def test_codes_are_found_where_they_stand(tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text(
        'GONE = "thing_gone"\nraise RefusedError("one_code", "x")\nerrors.RouteError(404, "two_code", "x")\n'
        'unreachable(GONE, "x")\nsent_unconfirmed("x", code="three_code")\n'
        'DriverError("hop", "a_code" if x else "b_code", "x")\n{"K": ("four_code", "a sentence")}\nother("five_code")\n'
        'SIX: Final = ("six_code", "a sentence", "what to do")\n'
    )
    expected = {"one_code", "two_code", "thing_gone", "three_code", "a_code", "b_code", "four_code", "six_code"}
    assert set(codes(source)) == expected
