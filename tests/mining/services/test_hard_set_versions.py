"""Dropping members makes a new version with reason, author and hash; the old one stays."""

import pytest

from mining.exports import hard_set_export
from mining.models import HardSet, HardSetMember, Round
from mining.selectors.hard_sets import hard_sets_of, versions_of
from mining.services.hard_set_versions import DropRefused, drop_members
from tests import factories


@pytest.fixture
def hard_set(project):
    items = factories.make_items(project, 4)
    round_ = Round.objects.create(project=project, number=1, folder="rounds/x/1", status="succeeded")
    made = HardSet.objects.create(
        round=round_, strategy="suspicious", sha256="0" * 64, n_members=4, params={"threshold": 0.5},
        summary={"title": "Suspicious", "verdicts": {"ambiguous": 3, "mislabelled": 1}},
    )  # fmt: skip
    HardSetMember.objects.bulk_create(
        HardSetMember(hard_set=made, item=item, rank=rank, score=1 / rank, reason=f"reason {rank}", verdict=verdict)
        for rank, (item, verdict) in enumerate(
            zip(items, ["ambiguous", "mislabelled", "ambiguous", "ambiguous"], strict=True), start=1
        )
    )
    return made


def members(hard_set):
    return list(hard_set.members.order_by("rank").values_list("rank", "item__ordinal", "score", "reason", "verdict"))


def item(hard_set, rank):
    return hard_set.members.get(rank=rank).item_id


def test_a_new_version_closes_up_and_the_old_one_stays(hard_set, manager):
    before = members(hard_set)

    made = drop_members(hard_set=hard_set, item_ids=[item(hard_set, 2)], reason="  wrong\n label ", created_by=manager)

    assert (made.version, made.parent, made.reason, made.created_by) == (2, hard_set, "wrong label", manager)
    assert members(made) == [
        (1, 0, 1.0, "reason 1", "ambiguous"),
        (2, 2, 1 / 3, "reason 3", "ambiguous"),
        (3, 3, 0.25, "reason 4", "ambiguous"),
    ]
    assert (made.n_members, made.summary["verdicts"], made.summary["title"]) == (3, {"ambiguous": 3}, "Suspicious")
    assert members(hard_set) == before
    assert len(made.sha256) == 64 and made.sha256 != hard_set.sha256
    assert [one.version for one in versions_of(hard_set)] == [2, 1]
    assert list(hard_sets_of(hard_set.round)) == [made]


def test_the_hash_is_of_the_content_whoever_dropped_it(hard_set, manager):
    gone = item(hard_set, 1)
    first = drop_members(hard_set=hard_set, item_ids=[gone], reason="blurred", created_by=manager)
    twice = drop_members(hard_set=hard_set, item_ids=[gone], reason="blurred", created_by=manager)
    other = drop_members(hard_set=hard_set, item_ids=[item(hard_set, 4)], reason="blurred", created_by=manager)

    assert twice == first
    assert (other.version, other.parent) == (3, hard_set)
    assert len({hard_set.sha256, first.sha256, other.sha256}) == 3
    assert list(hard_sets_of(hard_set.round)) == [other]


def test_a_version_of_a_version(hard_set, manager):
    second = drop_members(hard_set=hard_set, item_ids=[item(hard_set, 1)], reason="one")
    third = drop_members(hard_set=second, item_ids=[item(second, 1)], reason="two")

    assert (third.version, third.parent, third.n_members) == (3, second, 2)


def test_exports_are_of_the_version_chosen(hard_set):
    made = drop_members(hard_set=hard_set, item_ids=[item(hard_set, 1)], reason="blurred")

    one, two = (hard_set_export(hard_set=version, format_name="jsonl") for version in (hard_set, made))

    assert (one.file_name, two.file_name) == ("pets-round-1-suspicious-v1.jsonl", "pets-round-1-suspicious-v2.jsonl")
    assert [len("".join(export.pieces).splitlines()) for export in (one, two)] == [5, 4]


@pytest.mark.parametrize(
    ("ranks", "reason", "message"),
    [
        ([1], " ", "Say why"),
        ([1], "x" * 301, "300 characters, not 301"),
        ([], "blurred", "Choose the items"),
        ([1, 2, 3, 4], "blurred", "leave no item"),
    ],
)
def test_what_makes_no_version_writes_nothing(hard_set, ranks, reason, message):
    with pytest.raises(DropRefused, match=message):
        drop_members(hard_set=hard_set, item_ids=[item(hard_set, rank) for rank in ranks], reason=reason)
    assert HardSet.objects.count() == 1 and HardSetMember.objects.count() == 4


def test_an_item_that_is_no_member_drops_nothing(project, hard_set):
    stranger = factories.make_items(project, 1)[0]
    with pytest.raises(DropRefused, match=f"Item {stranger.pk} is not in version 1"):
        drop_members(hard_set=hard_set, item_ids=[item(hard_set, 1), stranger.pk], reason="blurred")
    assert HardSet.objects.count() == 1


def test_while_the_round_is_at_work_nothing_is_dropped(hard_set):
    Round.objects.update(status="running")
    hard_set.round.refresh_from_db()
    with pytest.raises(DropRefused, match="Round 1 is still at work"):
        drop_members(hard_set=hard_set, item_ids=[item(hard_set, 1)], reason="blurred")
