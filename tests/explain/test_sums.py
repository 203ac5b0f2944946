"""The printed terms of a sum add up to the printed total, digit by digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.explain.sums import WrittenSum

NUMBERS = st.floats(-500, 500)


@given(values=st.lists(NUMBERS, min_size=1, max_size=9), error=st.floats(-1e-5, 1e-5))
def test_the_printed_terms_add_up(values, error):
    total = sum(values) + error
    written = WrittenSum.of([(f"map {i}", value) for i, value in enumerate(values)], total)
    assert sum(round(1e5 * value) for _, value in written.terms) == round(1e5 * written.total)
    assert written.total == pytest.approx(total, abs=0.51e-5)
    for (_, printed), value in zip(written.terms, values, strict=False):
        assert printed == pytest.approx(value, abs=0.51e-5)
    if len(written.terms) > len(values):
        name, rest = written.terms[-1]
        assert name == "rounding"
        assert 0 < abs(rest) <= (len(values) + 1) * 0.51e-5 + 1.1e-5


def test_a_sum_is_printed_with_real_minus_signs():
    written = WrittenSum.of([("pixels for", 1.5), ("bias", -0.25)], 1.25001)
    assert str(written) == "1.50000 − 0.25000 + 0.00001 = 1.25001"
    assert written.names == "pixels for, bias, rounding"
