"""How large the parts of an upload are."""

from __future__ import annotations

import pytest

from pgconsole.storage.s3_upload import part_size_for


class TestPartSize:
    @pytest.mark.parametrize("expected", [0, 1, 10 << 20, 4 << 30, 400 << 30, 2 << 40])
    def test_stays_within_the_limits(self, expected: int) -> None:
        size = part_size_for(expected)
        assert 8 << 20 <= size <= 5 << 30
        assert size % (1 << 20) == 0
        assert 2 * expected / size <= 900
        assert 20 * (expected or 20 << 30) / size <= 10_000
