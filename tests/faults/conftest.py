"""What every fault test gets."""

from __future__ import annotations

import pytest
from tests.faults.recorder import Faults


@pytest.fixture(scope="session")
def faults() -> Faults:
    """Seeded chance, and the recorder."""
    return Faults.from_environment()
