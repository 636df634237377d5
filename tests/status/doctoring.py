"""What tests of the doctor share."""

from __future__ import annotations

from pgconsole.settings import Settings
from pgconsole.status.checks.base import CheckResult, CheckState
from pgconsole.status.doctor import run_checks

OK, WARNING, FAILED, UNKNOWN, NOT_SET_UP = CheckState


def diagnose(settings: Settings) -> tuple[dict[CheckState, list[str]], dict[str, CheckResult]]:
    """Run the doctor: the names of all checks by state, and the results by name."""
    results = {result.name: result for result in run_checks(settings)}
    by_state: dict[CheckState, list[str]] = {}
    for name, result in results.items():
        by_state.setdefault(result.state, []).append(name)
    return by_state, results


def check_only(
    settings: Settings, state: CheckState, name: str, words: str, unknown: list[str] | None = None
) -> CheckResult:
    """Exactly this check comes out so, and says why and what to do; these are unknown."""
    by_state, results = diagnose(settings)
    expected = {state: [name]}
    if unknown:
        expected[UNKNOWN] = sorted([*expected.get(UNKNOWN, []), *unknown])
    trouble = {key: sorted(by_state[key]) for key in by_state if key not in (OK, NOT_SET_UP)}
    assert trouble == expected, [results[one] for names in trouble.values() for one in names]
    found = results[name]
    assert words in f"{found.found}: {found.cause}"
    assert found.cause
    assert found.fix
    return found
