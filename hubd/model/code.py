"""Words for PIN codes that commands, readings and records share."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

type Moment = Annotated[datetime, msgspec.Meta(tz=True)]
type CodeChange = Literal["added", "changed", "removed"]


class TimeFrame(msgspec.Struct, frozen=True):
    """From when to when a code opens: `starts_at` is the first instant, `ends_at` the first one after."""

    starts_at: Moment
    ends_at: Moment
