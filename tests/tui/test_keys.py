"""What the console says of altered and of encrypted copies. Pure functions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.tui.scenes import NOW, listing, manifest, proof, settings

from pgconsole.backups.evidence import Proof
from pgconsole.backups.opened import OpenedBackup
from pgconsole.backups.standing import Standing, standing
from pgconsole.dumps.manifest import Encryption
from pgconsole.errors import AlteredError
from pgconsole.storage.base import Place
from pgconsole.widgets.backup_facts import facts
from pgconsole.widgets.copy_text import SIGNS, STYLES, copy_text
from pgconsole.widgets.inside_text import FRONT, State, notice
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Part

BACKUP = listing(Place.LOCAL).backups[0]
SEALED = replace(BACKUP, name=replace(BACKUP.name, encrypted=True))
ONE, TWO = "age1" + "q" * 58, "age1" + "p" * 58


def text(parts: list[Part]) -> str:
    return "".join(part if isinstance(part, str) else str(part[0]) for part in parts)


@pytest.mark.parametrize("known", Standing)
def test_every_standing_has_a_sign_and_is_good_or_not(known: Standing) -> None:
    sign, kind = SIGNS[known]
    assert sign
    assert kind in STYLES
    assert known.is_good == (kind == "good")


def test_an_altered_copy_is_bad_and_says_why() -> None:
    found = proof(BACKUP, Proof.ALTERED, problem="its signature does not fit")
    assert standing(BACKUP, {}, found) is Standing.ALTERED
    for briefly in (False, True):
        said = text(copy_text(Standing.ALTERED, found, NOW, briefly=briefly))
        assert said.startswith("✗ altered: its signature does not fit")


@pytest.mark.parametrize(
    ("recipients", "words"),
    [
        ((ONE,), "encrypted to age1qqqq…qqqqqqqq"),
        ((ONE, TWO), "encrypted to 2 keys"),
        ((), "encrypted to nobody knows whom"),
    ],
)
def test_who_can_read_it_and_who_vouches_for_it(recipients: tuple[str, ...], words: str) -> None:
    described = manifest().model_copy(
        update={"encryption": Encryption(recipients=recipients, gzip_bytes=1)}
    )
    key = "K" * 43 + "="
    opened = OpenedBackup(
        SEALED, described, None, (), (), signature=f"signed by {key}, a trusted key"
    )
    last = text(facts(settings(), SEALED, opened, NOW, 80)).splitlines()[-1]
    assert last.startswith(f"{words} · signed by KKK")
    assert last.endswith(", a trusted key")
    assert len(last) < 80
    unsigned = replace(opened, manifest=manifest(), signature="")
    assert "encrypted" not in text(facts(settings(), BACKUP, unsigned, NOW, 80))


def test_nobody_is_told_to_verify_an_altered_manifest_away() -> None:
    problem = AlteredError("Manifest x was altered", cause="no fit", fix="find out who")
    opened = OpenedBackup(BACKUP, None, problem, (), ())
    state = State(Known(opened, NOW - timedelta(seconds=1)), Known(), Known(), Known())
    said = text(notice("tables", state, settings(), BACKUP, NOW))
    assert said == f"✗ Manifest x was altered\nCause: no fit\nNext: find out who\n{FRONT}"
