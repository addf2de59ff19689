"""Locks that do not report when somebody turns them by hand, so that their bolt has to be asked for now and then.

Only models of which users have reported it stand here. Some of them report after all, depending on firmware and on how
they were included; one that does is left alone from its first report on (`Memory.talkative`).
"""

from typing import Final

from hubd_drivers.zwave.facts import NodeFacts

_SCHLAGE: Final = 0x003B

KNOWN_SILENT: Final = frozenset(
    {
        (_SCHLAGE, 0x6349, 0x5044),  # BE468: zwave-js issue 5079
        (_SCHLAGE, 0x6341, 0x5044),  # BE469: zwave-js issue 5079, OpenZWave/Zwave2Mqtt issue 292
        (_SCHLAGE, 0x0001, 0x0468),  # BE468ZP: the same lock with Z-Wave Plus
        (_SCHLAGE, 0x0001, 0x0469),  # BE469ZP: home-assistant/core issue 77743
        (_SCHLAGE, 0x634B, 0x5044),  # BE369: ethayer/lock-manager issue 37
    }
)
"""By maker, product type and product."""


def is_silent(facts: NodeFacts) -> bool:
    """Tell whether a lock is of a model known not to report what is done by hand."""
    return (facts.manufacturer_id, facts.product_type, facts.product_id) in KNOWN_SILENT
