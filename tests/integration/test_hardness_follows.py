"""New trials reach the Hardness page by themselves: real beat, real worker, real files."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from tests.factories import picture_bytes

SECONDS = 40
FACTS = """
from annotations.models import Project
from hardness_site.jobs.models import Job
from mining.selectors.people_now import hardness_of
import json
facts = hardness_of(Project.objects.get(slug="birds"))
print(json.dumps([facts and facts["n_trials"], Job.objects.filter(kind="people").count(),
                  list(Job.objects.filter(kind="people").values_list("error", flat=True))]))
"""


def wait_for(site, n_trials: int) -> list:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        state = json.loads(site.python(FACTS).splitlines()[-1])
        if state[0] == n_trials:
            return state
        time.sleep(0.5)  # a look is a process
    raise AssertionError(f"{state} after {SECONDS} s; {site.output()[-2000:]}")


@pytest.mark.integration
def test_trials_reach_the_page_by_themselves(live_site, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02d}.png").write_bytes(picture_bytes(number))
    live_site.manage("create_project", "Birds", "--classes", "crow,rook")
    live_site.manage("import_images", "birds", str(folder))
    generator = np.random.default_rng(0)
    for people, n_trials in ((("ada", "bob", "cy"), 60), (("dee",), 80)):
        rows = ["item,annotator,label,response_ms"]
        rows += [
            f"{number:02d}.png,{who},crow,{900 + 30 * number + generator.integers(0, 60)}"
            for who in people
            for number in generator.permutation(20)
        ]
        (tmp_path / "trials.csv").write_text("\n".join(rows) + "\n")
        live_site.manage("import_trials", "birds", str(tmp_path / "trials.csv"))
        assert wait_for(live_site, n_trials)[1:] == [1, [""]]
