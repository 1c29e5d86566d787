"""Projects: keys, slugs, settings, and what refuses to be one."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from annotations.models import Image, Item, LabelClass, Membership, Project
from annotations.services.projects import add_classes, create_project, keys_for, update_settings

pytestmark = pytest.mark.django_db


def test_classes_get_codes_and_keys_in_their_order() -> None:
    project = create_project(name="Shapes", classes=["circle", " square ", ""])
    assert list(project.classes.values_list("code", "name", "key")) == [(0, "circle", "1"), (1, "square", "2")]
    assert (project.slug, project.overlap, project.unit) == ("shapes", 3, "image")


def test_a_class_named_by_a_key_gets_that_key() -> None:
    assert keys_for([str(digit) for digit in range(10)]) == list("0123456789")
    assert keys_for(["cat", "1", "dog"]) == ["2", "1", "3"]
    assert keys_for(["A", "a"]) == ["a", "1"]


def test_more_than_ten_classes_go_on_with_letters() -> None:
    assert keys_for([f"class {n}" for n in range(12)]) == list("1234567890qw")


def test_every_key_is_used_once_up_to_the_last() -> None:
    project = create_project(name="Many", classes=[f"class {n}" for n in range(36)])
    assert len(set(project.classes.values_list("key", flat=True))) == 36


def test_more_classes_than_keys_have_ten_digits_and_are_searched_for() -> None:
    project = create_project(name="Birds", classes=[f"bird {n}" for n in range(1000)])
    keys = list(project.classes.order_by("code").values_list("key", flat=True))
    assert keys[:10] == list("1234567890")
    assert set(keys[10:]) == {None}
    add_classes(project=project, names=["one more"])
    assert project.classes.get(code=1000).key is None


def test_classes_that_come_later_leave_the_keys_of_the_old_ones() -> None:
    project = create_project(name="Birds", classes=[f"bird {n}" for n in range(36)])
    add_classes(project=project, names=["one more"])
    assert project.classes.get(code=35).key == "m"
    assert project.classes.get(code=36).key is None


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([], "at least one class"),
        (["a", "b", "a"], "a came more than once"),
        ([f"class {n}" for n in range(2001)], "2,001 classes, but 2,000 are the most"),
        (["x" * 101], "longer than 100"),
    ],
)
def test_classes_that_cannot_be_are_refused_and_nothing_is_made(classes: list[str], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        create_project(name="Shapes", classes=classes)
    assert message in error.value.message_dict["classes"][0]
    assert not Project.objects.exists()


def test_slugs_are_free_and_never_an_address_of_the_site() -> None:
    slugs = [create_project(name=name, classes=["a"]).slug for name in ("Shapes", "Shapes", "New", "数字")]
    assert slugs == ["shapes", "shapes-2", "new-2", "project"]
    for slug in ("shapes", "new", "no spaces"):
        with pytest.raises(ValidationError) as error:
            create_project(name="Other", slug=slug, classes=["a"])
        assert "slug" in error.value.message_dict


def test_whoever_makes_a_project_manages_it() -> None:
    user = get_user_model().objects.create_user("mia")
    project = create_project(name="Shapes", classes=["a"], created_by=user)
    assert project.memberships.get().role == Membership.Role.MANAGER


def test_overlap_out_of_range_is_refused() -> None:
    for overlap in (0, 1001):
        with pytest.raises(ValidationError) as error:
            create_project(name="Shapes", classes=["a"], overlap=overlap)
        assert "overlap" in error.value.message_dict


def test_a_new_overlap_moves_what_items_need_and_keeps_extra_judgments() -> None:
    project = create_project(name="Shapes", classes=["a"], overlap=3)
    image = Image.objects.create(sha256="0" * 64, file="x", thumbnail="x", width=1, height=1, n_bytes=1)
    other = Image.objects.create(sha256="1" * 64, file="x", thumbnail="x", width=1, height=1, n_bytes=1)
    Item.objects.create(project=project, image=image, ordinal=0, path="a.png", needed=3)
    Item.objects.create(project=project, image=other, ordinal=1, path="b.png", needed=5)
    update_settings(project=project, overlap=4)
    assert list(project.items.values_list("needed", flat=True)) == [4, 6]
    assert project.reopened == 1
    update_settings(project=project, overlap=2)
    assert list(project.items.values_list("needed", flat=True)) == [2, 4]
    assert (project.overlap, project.reopened) == (2, 1)


def test_a_refused_setting_changes_nothing() -> None:
    project = create_project(name="Shapes", classes=["a"])
    with pytest.raises(ValidationError):
        update_settings(project=project, overlap=5, lookahead=21)
    assert Project.objects.get().overlap == 3
    with pytest.raises(TypeError, match="n_items"):
        update_settings(project=project, n_items=7)


def test_added_classes_leave_the_old_ones_alone() -> None:
    project = create_project(name="Shapes", classes=["circle", "2"])
    add_classes(project=project, names=["square", "star"])
    assert list(project.classes.values_list("code", "name", "key")) == [
        (0, "circle", "1"),
        (1, "2", "2"),
        (2, "square", "3"),
        (3, "star", "4"),
    ]
    with pytest.raises(ValidationError, match="more than once"):
        add_classes(project=project, names=["star"])
    assert LabelClass.objects.count() == 4
