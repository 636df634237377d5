"""`python -m audit`: ends with 0 if all is known and good, 1 if something is bad, 2 if unknown."""

from __future__ import annotations

import sys

from audit.packages import fits, installed, licence, not_as_pinned, pinned, shipped
from audit.services import vulnerable, withdrawn

_SHOWN = 3  # of a long list


def main() -> int:
    """Look at everything, and say what was found."""
    packages = installed()
    versions = {name: package.version for name, package in packages.items()}
    wrong: list[str] = []
    unknown: list[str] = []

    differing = list(not_as_pinned(pinned(), versions))
    wrong += differing
    _say("pins", differing, f"all {len(versions)} packages are as in constraints.txt")

    ours = {name: licence(packages[name]) for name in sorted(shipped())}
    bad = [f"{name}: {said or 'says nothing'}" for name, said in ours.items() if not fits(said)]
    wrong += bad
    _say("licences", bad, f"{len(ours)} packages go along with pgconsole, under these:")
    for said in sorted(set(ours.values())):
        print(f"            {said}: {', '.join(name for name in ours if ours[name] == said)}")

    gone, problem = withdrawn(versions)
    wrong += gone
    if problem:
        unknown.append(f"which versions were withdrawn (the index: {problem})")
    else:
        _say("index", gone, "no version was withdrawn, as far as the index says")

    known, unasked, problem = vulnerable(versions)
    wrong += known
    if problem or unasked:
        shown = "; ".join(unasked[:_SHOWN]) + ("; ..." if len(unasked) > _SHOWN else "")
        what = problem or f"it knows nothing of {len(unasked)} of {len(versions)}: {shown}"
        unknown.append(f"vulnerabilities (PyPI's service: {what})")
    asked = 0 if problem else len(versions) - len(unasked)
    if asked:
        _say("PyPI", known, f"no known vulnerability in the {asked} packages that it knows")
    for one in unknown:
        print(f"UNKNOWN     {one}")
    if wrong:
        return 1
    return 2 if unknown else 0


def _say(part: str, problems: list[str], otherwise: str) -> None:
    for problem in problems:
        print(f"WRONG       {part}: {problem}")
    if not problems:
        print(f"ok          {part}: {otherwise}")


if __name__ == "__main__":
    sys.exit(main())
