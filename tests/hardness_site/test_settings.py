"""What the settings do about the machine that they find themselves on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.site import ROOT


@pytest.mark.parametrize("writable", [True, False])
def test_compiled_code_has_a_place_where_the_source_may_not_be_written(tmp_path, writable):
    """The image runs as a user that owns nothing of /app; without a place numba refuses, and every round fails."""
    code = (
        f"import os; os.access = lambda path, mode, **_: {writable}\n"
        "import django; django.setup()\n"
        "from numba.core import config; print(config.CACHE_DIR)"
    )
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    own = {"HARDNESS_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**kept, **own}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ("" if writable else str(tmp_path / "compiled"))
