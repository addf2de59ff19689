"""Cutting the journal's old end, and checking what is left of it."""

from datetime import datetime, timedelta

import msgspec

from hubd.store import chain
from hubd.store.database import Database
from hubd.store.records import micros

AHEAD = timedelta(days=1)
"""How far rows may be ahead of the clock and yet count as young: it may have been set back since."""
_PAGE = 1000
_KEEP = "INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)"


class Checkpoint(msgspec.Struct, frozen=True):
    """The last row that was cut: the chain goes on from here."""

    seq: int
    chain: bytes


class Verdict(msgspec.Struct, frozen=True):
    """What `verify` found. `broken_at` is the first row that does not fit, `erased` how many rows have no body."""

    rows: int
    first: int
    last: int
    erased: int
    broken_at: int | None = None
    reason: str | None = None


async def checkpoint(database: Database) -> Checkpoint:
    """Return where the chain starts: genesis, or the last cut."""
    found = dict(await database.read("SELECT name, value FROM meta WHERE name IN ('cut_seq', 'cut_chain')"))
    if not found:
        return Checkpoint(0, chain.GENESIS)
    return Checkpoint(int.from_bytes(found["cut_seq"]), found["cut_chain"])


async def cut(database: Database, before: datetime, now: datetime) -> int:
    """Drop the rows at the old end that were created before a time, never the newest; returns how many.

    Rows are dropped from the start on, up to the first young one. So a row that was written while the clock stood in
    the past (a box without a battery for its clock) takes nothing of what stands before it along; and one that bears a
    time far after `now` (the clock was ahead) holds nothing up. To be called only while the time is trusted.
    """
    found = await database.read(
        "SELECT seq, chain FROM journal WHERE seq < min("
        " (SELECT max(seq) FROM journal),"
        " ifnull((SELECT seq FROM journal WHERE created_at BETWEEN ? AND ? ORDER BY seq LIMIT 1), 1 << 62)"
        ") ORDER BY seq DESC LIMIT 1",
        (micros(before), micros(now + AHEAD)),
    )
    if not found:
        return 0
    seq, tip = found[0]
    start = (await checkpoint(database)).seq
    await database.transact(
        [
            (_KEEP, [("cut_seq", seq.to_bytes(8)), ("cut_chain", tip)]),
            ("DELETE FROM journal WHERE seq <= ?", [(seq,)]),
            ("DELETE FROM commands WHERE is_open = 0 AND accepted_at < ?", [(micros(before),)]),
        ]
    )
    return int(seq - start)


async def verify(database: Database) -> Verdict:
    """Walk the whole chain: every sequence number present, every body as hashed, every link as written."""
    while True:
        start = await checkpoint(database)
        verdict = await _walk(database, start)
        if verdict.broken_at is None or await checkpoint(database) == start:
            return verdict  # else a running hub cut the journal meanwhile


async def _walk(database: Database, start: Checkpoint) -> Verdict:
    seq, tip, rows, erased = start.seq, start.chain, 0, 0
    columns = "seq, type, public, instance, device_id, occurred_at, created_at, body, body_hash, chain"
    while True:
        sql = f"SELECT {columns} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - constant columns
        page = await database.read(sql, (seq, _PAGE))
        for *header, body, digest, written in page:
            reason = None
            if header[0] != seq + 1:
                reason = f"row {seq + 1} is missing"
            elif body is not None and chain.body_hash(body) != digest:
                reason = "its body was changed"
            elif chain.link(tip, tuple(header), digest) != written:
                reason = "its header or place was changed"
            if reason:
                return Verdict(rows, start.seq + 1, seq, erased, broken_at=header[0], reason=reason)
            seq, tip, rows, erased = header[0], written, rows + 1, erased + (body is None)
        if not page:
            return Verdict(rows, start.seq + 1, seq, erased)
