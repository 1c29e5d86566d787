"""Clocks that run fast or slow are told from jitter, late answers and halts."""

from __future__ import annotations

import numpy as np
import pytest

from mining.hardness.clock_rate import clock_rate


def sitting(rate=1.0, n=80, seed=0):
    """Return (client, server) of n answers about 1.5 s apart, with the jitter of a network."""
    generator = np.random.default_rng(seed)
    moments = np.cumsum(generator.lognormal(np.log(1500), 0.5, n))
    return rate * moments, moments + generator.exponential(60, n)


@pytest.mark.parametrize("rate", [0.9, 0.98, 1.0, 1.05, 1.3])
def test_the_rate_lies_in_its_interval(rate):
    inside = [
        found.low - 0.003 <= rate <= found.high + 0.003
        for found in (clock_rate(*sitting(rate, seed=seed)) for seed in range(40))
    ]
    assert np.mean(inside) > 0.9
    assert clock_rate(*sitting(rate)).rate == pytest.approx(rate, abs=0.01)


def test_late_answers_and_halts_do_not_move_it():
    client, server = sitting()
    late = server.copy()
    late[30:36] = late[36]  # offline: six answers arrive together
    late[60:] += 20 * 60_000  # the machine slept for twenty minutes
    assert clock_rate(client, late).rate == pytest.approx(1, abs=0.01)


def test_too_few_answers_tell_nothing():
    client, server = sitting(n=25)
    assert np.isnan(clock_rate(client, server).rate)
    with pytest.raises(ValueError, match="server_ms"):
        clock_rate(client, server[:-1])
