"""The chain over the journal: each row's hash covers the row before it, its own header and the hash of its body.

Because only the body's hash is covered, a body can be erased and the chain still verifies.
"""

import hashlib

GENESIS = bytes(32)


def body_hash(body: bytes) -> bytes:
    """Return SHA-256 of a body."""
    return hashlib.sha256(body).digest()


def link(previous: bytes, header: tuple[object, ...], body_digest: bytes) -> bytes:
    """Return the chain value of a row: SHA-256 over the previous value, the header's fields and the body's hash.

    A field is written with its length, so that no two headers read alike; one that is None differs from an empty one.
    """
    text = "".join(["-;" if field is None else f"{len(word := str(field))}:{word};" for field in header])
    return hashlib.sha256(previous + text.encode() + body_digest).digest()
