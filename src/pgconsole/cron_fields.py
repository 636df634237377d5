"""The five fields of a cron expression: what of them cron itself would take."""

from __future__ import annotations

import re
from datetime import datetime

# Each cron field, and the names that its values have besides numbers.
_FIELDS = (
    ("minute", ""),
    ("hour", ""),
    ("day of the month", ""),
    ("month", "jan feb mar apr may jun jul aug sep oct nov dec"),
    ("day of the week", "sun mon tue wed thu fri sat"),
)


def check_schedule(expression: str) -> str:
    """A cron expression as the schedule follows it.

    Raises:
        ValueError: Cron can't read it, or it would never run.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(
            f"a cron expression has five fields (minute hour day month weekday), "
            f"this has {len(fields)}"
        )
    _check_fields(fields)
    return " ".join(fields)


def _check_fields(fields: list[str]) -> None:
    """Raise ValueError that shows which of the five cron fields is wrong.

    What cron itself takes: croniter also knows `L`, `#`, `?`, `R` and `5/15`, which the crons
    that people move here from refuse, or read in another way.
    """
    from croniter import CroniterBadDateError, croniter  # noqa: PLC0415 - 50 ms

    for number, (field, (name, names)) in enumerate(zip(fields, _FIELDS, strict=True), 1):
        value = rf"(?:[0-9]{{1,2}}{''.join(f'|{each}' for each in names.split())})"
        item = rf"(?:\*|{value}-{value})(?:/[0-9]{{1,2}})?|{value}"
        alone = ["*"] * 5
        alone[number - 1] = field
        known = re.fullmatch(rf"(?:{item})(?:,(?:{item}))*", field, re.IGNORECASE)
        if not known or not croniter.is_valid(" ".join(alone)):
            raise ValueError(f"field {number} ({name}) is {field!r}, which cron can't read")
    try:
        croniter(" ".join(fields), datetime(2000, 1, 1)).get_next()
    except CroniterBadDateError:
        raise ValueError(
            f"it would never run: field 4 (month) is {fields[3]!r}, where field 3 "
            f"(day of the month), {fields[2]!r}, does not exist"
        ) from None
