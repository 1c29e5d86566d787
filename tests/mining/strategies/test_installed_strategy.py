"""A strategy from another package, installed with pip, is offered like the built-in ones."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCS = (ROOT / "docs" / "mining.md").read_text(encoding="utf-8")


def wheel_of(folder: Path, files: dict[str, str]) -> Path:
    """Write a wheel by hand: nothing has to be built, and no index is asked."""
    files = {
        **files,
        "our_mining-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: our-mining\nVersion: 1.0\n",
        "our_mining-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    path = folder / "our_mining-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text.encode())}\n"
        wheel.writestr("our_mining-1.0.dist-info/RECORD", record + "our_mining-1.0.dist-info/RECORD,,\n")
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return a folder into which pip has installed the package of the documentation."""
    folder = tmp_path_factory.mktemp("package")
    module = re.search(r"```python\n(.*?)```", DOCS, flags=re.DOTALL).group(1)
    entry_points = re.search(r"```toml\n\[project\.entry-points\.\"(.*?)\"\]\n(.*?)```", DOCS, flags=re.DOTALL)
    lines = entry_points.group(2).replace('"', "")
    wheel = wheel_of(
        folder,
        {"our_mining.py": module, "our_mining-1.0.dist-info/entry_points.txt": f"[{entry_points.group(1)}]\n{lines}"},
    )
    target = folder / "installed"
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-cache-dir", "--target"]
    done = subprocess.run([*command, str(target), str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run_with(installed: Path, code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_in_the_catalogue_and_picks(installed):
    code = (
        "import numpy as np; from mining.strategies.catalogue import get_strategy\n"
        "picked = get_strategy('quick_surprises').select({'loss': np.array([0.1, 2.0, 3.0]), "
        "'time_hardness': np.array([0.0, 1.0, -1.0])}, eligible=np.ones(3, dtype=bool))\n"
        "print(picked.index.tolist(), picked.reason[0])"
    )
    assert run_with(installed, code) == "[2, 1] loss 3.00, yet quick"


def test_the_form_and_the_command_offer_it(installed):
    code = (
        "import django; django.setup()\n"
        "from mining.selectors import choices\n"
        "from mining.services.round_params import _strategies\n"
        "print(choices.strategies()['quick_surprises'].title, _strategies(['quick_surprises'])[0]['params'])"
    )
    assert run_with(installed, code) == "Quick surprises {'least_loss': 1.0, 'limit': None}"
