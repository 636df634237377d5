"""The installed packages: are they those of constraints.txt, and under which licences?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
_OURS = "pgconsole"
_OF_VENV = {_OURS, "pip", "setuptools"}  # not dependencies: ours, and what `python -m venv` brings
# What a program under the MIT licence may be distributed with.
_FITS = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|LGPL|Lesser|Zlib|Unlicense"
)


def pinned() -> dict[str, str]:
    """What constraints.txt says: version by normalised name."""
    lines = CONSTRAINTS.read_text().split()
    return {
        canonicalize_name(name): version for name, version in (one.split("==") for one in lines)
    }


def installed() -> dict[str, Distribution]:
    """What is in this environment, by normalised name."""
    found = {canonicalize_name(one.name): one for one in distributions()}
    return {name: one for name, one in sorted(found.items()) if name not in _OF_VENV}


def not_as_pinned(pins: dict[str, str], found: dict[str, str]) -> Iterator[str]:
    """Every difference between the two.

    Args:
        pins: What should be there: version by name.
        found: What is there.
    """
    for name, version in found.items():
        if name not in pins:
            yield f"{name} {version} is installed and not in {CONSTRAINTS.name}"
        elif version != pins[name]:
            yield f"{name} {version} is installed, {CONSTRAINTS.name} has {pins[name]}"


def shipped() -> set[str]:
    """The packages that pgconsole brings along when it is installed without extras."""
    waiting, seen = [Requirement(_OURS)], set()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in seen:
            seen.add(key)
            waiting += _required_by(wanted)
    return {name for name, _ in seen} - {_OURS}


def _required_by(wanted: Requirement) -> Iterator[Requirement]:
    for text in distribution(wanted.name).requires or ():
        one = Requirement(text)
        extras = ("", *wanted.extras)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
            yield one


def licence(package: Distribution) -> str:
    """What the package says of its licence; empty if nothing."""
    metadata = package.metadata
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier", [])
        if text.startswith("License ::")
    ]
    said = metadata.get("License-Expression") or ", ".join(classifiers) or metadata.get("License")
    if not said:  # the first line of the text itself
        texts = (
            package.read_text(f"licenses/{name}") for name in metadata.get_all("License-File", [])
        )
        said = next((text.strip().partition("\n")[0] for text in texts if text), "")
    return " ".join(said.split())[:60]


def fits(said: str) -> bool:
    """Whether something under this licence may be distributed with pgconsole."""
    return _FITS.search(said) is not None
