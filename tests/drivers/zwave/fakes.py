"""A server that answers from a script, a clock that runs faster, and nodes as zwave-js dumps them."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from hubd_drivers.zwave.facts import NodeFacts, ValueId, read_node
from hubd_drivers.zwave.link import Link

from hubd.driver import DriverError

HOME_ID = 0x7E570001

type Answer = object | Exception | Callable[..., object]


class FastClock:
    """The machine's clock, `speed` times as fast."""

    def __init__(self, speed: float = 20.0) -> None:
        self._speed = speed

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(max(0.0, seconds) / self._speed)


class FakeLink(Link):
    """Answers each command with `answers[name]`: a value, an error to raise, or a function of the arguments.

    The last of a list of answers is repeated. What is not in the script waits for ever.
    """

    def __init__(self, *nodes: NodeFacts, **answers: Answer) -> None:
        self.home_id = HOME_ID
        self.own_node_id = 1
        self._known = list(nodes)
        self.controller_loss: DriverError | None = None
        self.answers: dict[str, Answer] = dict(answers)
        self.sent: list[tuple[str, Mapping[str, object]]] = []

    @property
    def versions(self) -> str:
        return "a script"

    async def nodes(self) -> list[NodeFacts]:
        return self._known

    async def command(self, name: str, /, **arguments: object) -> Mapping[str, object]:
        self.sent.append((name, arguments))
        short = name.rpartition(".")[2]
        if short not in self.answers:
            await asyncio.Event().wait()
        answer = self.answers[short]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(**arguments)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Mapping)
        return answer

    def count(self, name: str) -> int:
        return sum(1 for sent, _ in self.sent if sent.endswith(name))


def value(
    command_class: int, name: str, content: object = None, key: object = None, **metadata: object
) -> dict[str, Any]:
    """A value as it stands in a node's dump."""
    raw: dict[str, Any] = {"commandClass": command_class, "endpoint": 0, "property": name, "metadata": metadata}
    return {**raw, "value": content, **({} if key is None else {"propertyKey": key})}


def dump(
    node_id: int = 2, *values: dict[str, Any], classes: Mapping[int, int] | None = None, **more: object
) -> dict[str, Any]:
    """A node as the server dumps it: interviewed, alive, of no known maker."""
    listed = {raw["commandClass"]: 1 for raw in values} | dict(classes or {})
    endpoint = {"index": 0, "commandClasses": [{"id": cc, "version": version} for cc, version in listed.items()]}
    known = {"nodeId": node_id, "status": 4, "ready": True, "interviewStage": "Complete", "manufacturerId": 0xFFFF}
    return {**known, "productType": 1, "productId": 2, "values": list(values), "endpoints": [endpoint], **more}


def node(*args: Any, **kwargs: Any) -> NodeFacts:
    """A node read from such a dump."""
    facts = read_node(dump(*args, **kwargs))
    assert facts is not None
    return facts


def lock_dump(node_id: int = 2, mode: object = 0, *values: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A lock with Door Lock CC."""
    current, target = value(98, "currentMode", mode), value(98, "targetMode", mode, writeable=True)
    return dump(node_id, current, target, *values, **{"classes": {98: 4, 108: 1}, **more})


def lock_node(*args: Any, **kwargs: Any) -> NodeFacts:
    """A lock read from such a dump."""
    facts = read_node(lock_dump(*args, **kwargs))
    assert facts is not None
    return facts


CURRENT = ValueId(98, 0, "currentMode")
LOCK_STATE = ValueId(113, 0, "Access Control", "Lock state")
