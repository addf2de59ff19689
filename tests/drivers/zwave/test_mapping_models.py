"""Makers' models: zwave-js interviews each with its own device file, and the driver describes it rightly."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.driver import ZwaveDriver

from hubd.driver.contract import RecordingPort, running
from hubd.model import Capabilities, DeviceDescription, Seen
from tests.drivers.zwave import models
from tests.sims.zwave.harness import FAST, FIRST_MODEL, SimulatorError, ZwaveNetwork, require_node

NETWORKS = 2
"""At once. zwave-js interviews the nodes of a network one after the other, and waits much."""
ANSWER_SECONDS = 50.0
MODELS = {path: models.read(path) for path in models.files()}

type Answer = Future[dict[str, Any]]
"""What the driver tells of a model, once its interview is over."""


@pytest.fixture(scope="module")
def answers() -> Iterator[Mapping[str, Answer]]:
    """Every model, by its name. All are interviewed afresh while the tests go through them in the same order."""
    try:
        require_node()
    except SimulatorError as error:
        pytest.fail(str(error), pytrace=False)
    promised: dict[str, Answer] = {path.stem: Future() for path in MODELS}
    hands = models.dealt(MODELS, NETWORKS)
    started: list[Future[None]] = [Future() for _ in hands]
    stopping: Future[None] = Future()
    with ThreadPoolExecutor(max_workers=1) as thread:
        ended = thread.submit(asyncio.run, _interview_all(hands, promised, started, stopping))
        try:
            for beginning in started:
                beginning.result(ANSWER_SECONDS)
            yield promised
        finally:
            stopping.set_result(None)
            ended.result(ANSWER_SECONDS)


@pytest.mark.node
@pytest.mark.parametrize("path", models.in_order(MODELS, NETWORKS), ids=lambda path: path.stem)
def test_a_model_is_described_as_what_it_is(answers: Mapping[str, Answer], path: Path) -> None:
    told = answers[path.stem].result(ANSWER_SECONDS)
    assert models.differences(told, models.expected(MODELS[path])) == []


@pytest.mark.node  # whose packages hold zwave-js's device files
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_says_what_it_may(path: Path) -> None:
    model, raw = MODELS[path], json.loads(path.read_bytes())
    expect = raw["expect"]
    assert _says_no_more(expect["capabilities"], models.whole(model.expect.capabilities))
    assert set(expect["seen"]) <= set(models.FIRST_READINGS)
    for kind, content in expect["seen"].items():
        assert _says_no_more(content, models.whole(models.reading(kind, content))), kind
    assert (model.config is None) is model.unlisted, "it is of one of zwave-js's device files, or says `unlisted`"
    if model.config is not None:
        assert model.node.ids in models.products(model.config), f"zwave-js's {model.config} is not for these ids"


def test_models_differ() -> None:
    ids = [model.node.ids for model in MODELS.values()]
    assert len(set(ids)) == len(ids)
    assert len(MODELS) >= 12


def test_what_a_model_may_not_say_is_refused(tmp_path: Path) -> None:
    raw = json.loads(next(iter(MODELS)).read_bytes())
    raw["node"]["commandClasses"]["Battery"]["colour"] = "red"
    (tmp_path / "odd.json").write_text(json.dumps(raw), "utf-8")
    with pytest.raises(msgspec.ValidationError, match="colour"):
        models.read(tmp_path / "odd.json")
    assert not _says_no_more({"lock": {"can_lok": True}}, models.whole(Capabilities()))


def test_a_difference_says_where_it_is() -> None:
    told, wanted = {"capabilities": {"lock": {"can_lock": True}}}, {"capabilities": {"lock": {"can_lock": False}}}
    assert models.differences(told, told) == []
    assert models.differences(told, wanted) == ["capabilities.lock.can_lock: told True, expected False"]
    assert models.differences({"seen": {"door": {}}}, {"seen": {}}) == ["seen.door: told {}, expected 'nothing'"]


def _says_no_more(raw: object, full: object) -> bool:
    """Tell whether all that is written stands in the value that was read of it."""
    if isinstance(raw, dict) and isinstance(full, dict):
        return all(key in full and _says_no_more(value, full[key]) for key, value in raw.items())
    return raw == full


class Board(RecordingPort):
    """Keeps the promises of a network's nodes when their devices are first announced."""

    def __init__(self, promised: Mapping[int, Answer]) -> None:
        super().__init__()
        self._promised = promised

    async def found(self, description: DeviceDescription, *seen: Seen) -> str:
        answer = self._promised[models.node_of(description)]
        if not answer.done():
            answer.set_result(models.told(description, seen))
        return await super().found(description, *seen)


async def _interview_all(
    hands: list[list[Path]], promised: Mapping[str, Answer], started: list[Future[None]], stopping: Future[None]
) -> None:
    async with asyncio.TaskGroup() as networks:
        for hand, beginning in zip(hands, started, strict=True):
            answers = {path.stem: promised[path.stem] for path in hand}
            networks.create_task(_interview(hand, answers, beginning, stopping))


async def _interview(
    hand: list[Path], promised: Mapping[str, Answer], started: Future[None], stopping: Future[None]
) -> None:
    """Run a network of models and its driver. A model that sleeps has its button pressed until it is interviewed."""
    nodes = dict(enumerate(promised.values(), FIRST_MODEL))
    sleepers = [node for node, path in enumerate(hand, FIRST_MODEL) if MODELS[path].node.listening == "sleeping"]
    stopped = asyncio.wrap_future(stopping)
    # Reading hundreds of empty PIN slots would take most of the time, and tells nothing of a model.
    quick: dict[str, Any] = {"pace": FAST, "query_all_user_codes": False, "log_level": "warn"}
    try:
        async with (
            ZwaveNetwork(nodes=(), models=hand, **quick) as network,
            running(ZwaveDriver(ZwaveConfig(url=network.url)), Board(nodes)) as driver,
        ):
            started.set_result(None)
            while not stopped.done() and not driver.done():
                for node in (node for node in sleepers if not nodes[node].done()):
                    await network.op("wake", node=node)
                await asyncio.wait({stopped, driver}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if driver.done():
                await driver
    finally:
        started.cancel()
        for answer in promised.values():
            answer.cancel()
