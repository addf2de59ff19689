from tests.house import sizes
from tests.house.conftest import Checkout


def test_no_file_or_function_is_too_long() -> None:
    assert sizes.too_long() == []


def test_source_is_small_on_the_whole() -> None:
    per_file, per_function = sizes.medians()
    assert 0 < per_file <= sizes.FILE_MEDIAN
    assert 0 < per_function <= sizes.FUNCTION_MEDIAN


def function(name: str, lines: int) -> str:
    return f"def {name}():\n" + "    pass\n" * (lines - 1)


def test_hard_limits(checkout: Checkout) -> None:
    root = checkout(
        {
            "hubd/fits.py": function("fits", 80) + "\n" * 419,
            "hubd/long.py": function("long", 81) + "\n" * 419,
            "tests/sims/net.mjs": "\n" * 500,
            "tests/fixtures/data.json": "\n" * 900,
        }
    )
    assert sizes.too_long(root) == [
        "hubd/long.py: 501 lines (limit 500)",
        "tests/sims/net.mjs: 501 lines (limit 500)",
        "hubd/long.py: long:1 has 81 lines (limit 80)",
    ]


def test_medians_are_of_the_source_alone(checkout: Checkout) -> None:
    root = checkout(
        {
            "hubd/a.py": function("a", 4),
            "drivers/hubd_drivers/b.py": function("b", 8),
            "tests/test_c.py": function("c", 70),
        }
    )
    assert sizes.medians(root) == (7, 6)
    assert sizes.medians(root / "tests") == (0, 0)
