"""What holds for every test: nothing blocks the event loop, and nothing is left behind."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

from tests.house import leaks

# `make test` draws the same examples each time, so that a red run can be repeated; `make soak` explores.
settings.register_profile(
    "ci", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def nothing_blocks() -> Iterator[BlockBuster]:
    """Make any blocking call under a running event loop an error, in tests and fixtures too.

    An exception is made here, with its reason: ``guard.functions[name].can_block_in(file, function)``.
    """
    guard = BlockBuster()
    for function in guard.functions.values():
        # A module is read once in a process: whether that fails a test would hang on the tests before it.
        function.can_block_in("<frozen importlib._bootstrap>", "_find_and_load")
    guard.activate()
    yield guard
    guard.deactivate()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Fail a test after which a thread or child process runs that did not run before it.

    What a fixture of a wider scope started is not the test's. Being the first function fixture to be set up,
    this one is the last to be torn down, after the event loop and its thread pool.
    """
    before = leaks.running()
    yield
    if left := leaks.left_since(before):
        pytest.fail("the test left behind: " + ", ".join(left), pytrace=False)


@pytest_asyncio.fixture
async def nothing_pending() -> AsyncIterator[None]:
    """Fail an async test that leaves a task or timer on its loop, once its other fixtures are torn down."""
    yield
    if left := await leaks.pending():
        pytest.fail("the test left on its loop: " + ", ".join(left), pytrace=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each async test, and no other, the fixture `nothing_pending`, right after `nothing_left`."""
    for item in items:
        if isinstance(item, pytest.Function) and pytest_asyncio.is_async_test(item):
            names = item.fixturenames
            if "nothing_pending" not in names:
                names.insert(names.index("nothing_left") + 1, "nothing_pending")
