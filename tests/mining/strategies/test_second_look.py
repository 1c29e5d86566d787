"""What came of asking again, item by item, and how sets compare."""

import numpy as np

from mining.strategies.second_look import OUTCOME_MEANINGS, OUTCOME_TITLES, OUTCOMES, ItemsNow, second_look_outcomes
from mining.strategies.set_comparison import change_since, overlaps


def outcome(*, before=0, now=0, new=2, judgments=5, disagreement=0.0, slow=False, surprised=False, extra=2):
    items = ItemsNow(
        label_before=np.array([before]), label=np.array([now]), n_new=np.array([new]),
        n_judgments=np.array([judgments]), disagreement=np.array([disagreement]), slow=np.array([slow]),
        surprised=np.array([surprised]),
    )  # fmt: skip
    return OUTCOMES[int(second_look_outcomes(items, extra)[0])]


def test_each_outcome_by_hand():
    assert outcome() == "settled"
    assert outcome(slow=True) == "hard"
    assert outcome(surprised=True) == "hard"
    assert outcome(before=1) == "label_changed"
    assert outcome(before=1, slow=True) == "label_changed"
    assert outcome(disagreement=0.4, before=1, slow=True) == "ambiguous"
    assert outcome(disagreement=0.25) == "settled"


def test_an_item_waits_for_all_its_judgments():
    assert outcome(new=1, before=1) == "waiting"
    assert outcome(new=0, disagreement=0.5) == "waiting"
    assert outcome(new=3) == "settled"


def test_what_is_unknown_decides_nothing():
    assert outcome(before=-1, now=2) == "settled"
    assert outcome(before=2, now=-1, disagreement=np.nan, judgments=0, extra=0) == "settled"
    assert outcome(judgments=1, disagreement=0.9) == "settled"


def test_every_outcome_has_its_words():
    assert set(OUTCOMES) == set(OUTCOME_TITLES) == set(OUTCOME_MEANINGS)


def test_sets_are_compared_pair_by_pair():
    found = overlaps({"a": np.arange(10), "b": np.arange(8, 12), "empty": np.zeros(0, dtype=int), "c": np.array([99])})
    assert [(one.first, one.second, one.shared, one.share) for one in found] == [
        ("a", "b", 2, 0.5), ("a", "c", 0, 0.0), ("b", "c", 0, 0.0),
    ]  # fmt: skip


def test_what_is_new_since_an_earlier_set():
    change = change_since(np.array([1, 2, 3]), np.array([3, 4, 5, 6]))
    assert (change.n_before, change.n_now, change.n_new, change.n_gone, change.new_share) == (3, 4, 3, 2, 0.75)
    assert change_since(np.arange(3), np.zeros(0, dtype=int)).new_share == 0.0
