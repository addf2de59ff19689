import pytest

from tests.house import layout
from tests.house.conftest import Checkout
from tests.house.tree import ROOT

LOGIC = "def twice(n: int) -> int:\n    return 2 * n\n"


def test_every_module_with_logic_has_its_test() -> None:
    assert layout.untested(ROOT) == []


def test_every_test_in_the_mirrors_has_its_module() -> None:
    assert layout.orphans(ROOT) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("X = 1\n", False, id="constant"),
        pytest.param('class A:\n    """Value."""\n    x: int\n', False, id="value"),
        pytest.param('class P:\n    async def run(self) -> None:\n        """Live."""\n', False, id="protocol"),
        pytest.param("class P:\n    def f(self) -> int: ...\n", False, id="stub"),
        pytest.param(LOGIC, True, id="function"),
        pytest.param("class A:\n    @property\n    def x(self):\n        return 1\n", True, id="property"),
        pytest.param("async def f(x):\n    await x\n", True, id="coroutine"),
    ],
)
def test_logic(source: str, *, expected: bool) -> None:
    assert layout.has_logic(source) is expected


def test_mirror(checkout: Checkout) -> None:
    root = checkout(
        {
            ".gitignore": "ignored.py\n",
            "hubd/__init__.py": LOGIC,
            "hubd/__main__.py": LOGIC,
            "hubd/core/hub.py": LOGIC,
            "hubd/core/lane.py": LOGIC,
            "hubd/core/value.py": "X = 1\n",
            "hubd/core/ignored.py": LOGIC,
            "drivers/hubd_drivers/acme/mapping.py": LOGIC,
            "drivers/hubd_drivers/acme/codec.py": LOGIC,
            "tests/hubd/test_main.py": "",
            "tests/hubd/core/conftest.py": "",
            "tests/hubd/core/test_hub.py": "",
            "tests/hubd/core/test_hub_crash.py": "",
            "tests/hubd/core/test_hubs.py": "",
            "tests/drivers/acme/test_codec.py": "",
            "tests/drivers/gone/test_codec.py": "",
        }
    )
    assert layout.untested(root) == [
        "hubd/core/lane.py: no tests/hubd/core/test_lane.py",
        "drivers/hubd_drivers/acme/mapping.py: no tests/drivers/acme/test_mapping.py",
    ]
    assert layout.orphans(root) == [
        "tests/hubd/core/test_hubs.py: no such module in hubd/core",
        "tests/drivers/gone/test_codec.py: no such module in drivers/hubd_drivers/gone",
    ]
