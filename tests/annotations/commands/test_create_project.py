"""create_project: the slug on the last line, clear errors."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Project

pytestmark = pytest.mark.django_db


def test_the_last_line_is_the_slug() -> None:
    out = StringIO()
    call_command("create_project", "Road signs", "--classes", "stop,give way", "--overlap", "5", stdout=out)
    assert out.getvalue().splitlines() == ["Made the project Road signs. Keys: 1 stop, 2 give way.", "road-signs"]
    assert Project.objects.get().overlap == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Road signs", "--classes", ","], "at least one class"),
        (["Road signs", "--classes", "a,a"], "a came more than once"),
        (["Road signs", "--classes", "a", "--manager", "nobody"], "There is no user nobody."),
    ],
)
def test_bad_arguments_are_one_clear_line(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("create_project", *arguments)
    assert not Project.objects.exists()


def test_the_protocol_is_set_by_options() -> None:
    call_command(
        "create_project", "Flashes", "--classes", "a", "--order", "adaptive", "--repeat-share", "0.1", "--gold-share",
        "0.05", "--time-limit-ms", "2000", "--flash-frames", "3", "--break-after", "60", stdout=StringIO(),
    )  # fmt: skip
    project = Project.objects.get()
    assert (project.order, project.repeat_share, project.gold_share, project.hard_share) == ("adaptive", 0.1, 0.05, 0.1)
    assert (project.time_limit_ms, project.flash_frames, project.break_after) == (2000, 3, 60)
    with pytest.raises(CommandError, match="greater than or equal to 300"):
        call_command("create_project", "Short", "--classes", "a", "--time-limit-ms", "20", stdout=StringIO())
