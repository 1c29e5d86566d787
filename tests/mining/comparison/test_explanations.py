"""Which attributes explain hardness."""

import numpy as np

from mining.comparison.explanations import explain_hardness


def test_a_cause_is_told_from_what_merely_goes_with_it():
    generator = np.random.default_rng(0)
    cause = generator.normal(size=600)
    companion = cause + generator.normal(size=600)
    found = explain_hardness(
        cause + 0.5 * generator.normal(size=600),
        {"companion": companion, "cause": cause, "nothing": generator.normal(size=600), "constant": np.ones(600)},
        n_resamples=200,
    )
    assert [each.attribute for each in found][:2] == ["cause", "companion"]
    by_name = {each.attribute: each for each in found}
    assert by_name["cause"].beside_others.low > 0.5
    assert by_name["companion"].alone.low > 0.4
    assert by_name["companion"].beside_others.low < 0 < by_name["companion"].beside_others.high
    assert by_name["constant"].alone.value is None and "same for all" in by_name["constant"].beside_others.reason
