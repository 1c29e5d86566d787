"""One thread of arithmetic while work is done, and as before afterwards, also one inside the other."""

from __future__ import annotations

import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits

from mining.learners.one_thread import one_thread


def threads() -> set[int]:
    return {one["num_threads"] for one in ThreadpoolController().info() if one["user_api"] == "blas"}


def test_arithmetic_has_one_thread_inside_and_what_it_had_outside():
    assert np.ones((2, 2)).dot(np.ones(2))[0] == 2.0  # the library is loaded
    with threadpool_limits(limits=2):
        before = threads()
        with one_thread():
            assert threads() == {1}
            with one_thread():
                assert threads() == {1}
            assert threads() == {1}
        assert threads() == before
