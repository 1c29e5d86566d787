"""set_role: training and gold items from paths and files, clear errors."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Item
from tests import factories

pytestmark = pytest.mark.django_db


def test_items_of_a_file_become_gold_and_ordinary_again(project, tmp_path) -> None:
    items = factories.make_items(project, 4, given=[0, 1, 0, 1])
    names = tmp_path / "gold.txt"
    names.write_text(f"{items[1].path}\n\n{items[2].path}\n")
    out = StringIO()
    call_command("set_role", "pets", "gold", items[0].path, "--from-file", str(names), stdout=out)
    assert out.getvalue().splitlines() == ["3 changed: 0 training and 3 gold items in Pets.", "pets"]
    call_command("set_role", "pets", "ordinary", items[0].path, stdout=StringIO())
    assert list(Item.objects.order_by("ordinal").values_list("role", flat=True)) == ["", "gold", "gold", ""]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pets", "gold"], "Name at least one item"),
        (["pets", "gold", "nothing.png"], "No item of the project is called nothing"),
        (["pets", "gold", "--from-file", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["cats", "gold", "a"], "There is no project 'cats'"),
    ],
)
def test_bad_arguments_are_one_clear_line(project, arguments: list[str], message: str) -> None:
    factories.make_items(project, 1, given=[0])
    with pytest.raises(CommandError, match=message):
        call_command("set_role", *arguments)
    assert Item.objects.get().role == ""
