"""What must not stand in the repository: somebody's machine, a package registry, an open end."""

import re
from pathlib import Path

from tests.house.tree import ROOT, files

#: Name and top-level domains, apart, so that this file holds nothing banned itself.
_REGISTRIES = {"pythonhosted": "org", "pypi": "org", "npmjs": "org|com", "debian": "org"}
_HOSTS = "|".join(rf"{name}\.(?:{top})" for name, top in _REGISTRIES.items())
_OPEN_ENDS = "TO-DO|FIX-ME|XX-X|HA-CK".replace("-", "")
_HOMES = "home|root|work|Users"

BANNED = {
    "a path of somebody's machine": re.compile(rf"(?<![\w.])/(?:{_HOMES})/[\w.]"),
    "the host of a package registry": re.compile(rf"(?i)(?<!\w)(?:{_HOSTS})\b"),
    "an open end": re.compile(rf"(?i)\b(?:{_OPEN_ENDS})\b"),
    "a folder outside the repository": re.compile(r"\.\./[s]hared"),
}


def banned(root: Path = ROOT) -> list[str]:
    """Return a line for each place in a text file of the repository that holds what must not stand there."""
    found = []
    for path in files(root):
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for why, pattern in BANNED.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(root)}:{line}: {why}: {match.group()}")
    return found
