"""The worker of long jobs is ready before the first of them comes; nobody else pays for that."""

import subprocess
import sys

import pytest

CODE = """
import sys
from types import SimpleNamespace
import django
django.setup()
from mining.tasks import preload
preload(SimpleNamespace(pool_cls={pool!r}, concurrency={processes}))
print("sklearn.svm" in sys.modules, "polars" in sys.modules)
"""


@pytest.mark.parametrize(
    ("pool", "processes", "printed"),
    [("prefork", 2, "True False"), ("prefork", 1, "False False"), ("threads", 3, "False False")],
)
def test_the_worker_that_forks_loads_arithmetic_and_no_threads(pool, processes, printed):
    code = CODE.format(pool=pool, processes=processes)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed


def test_a_process_that_was_forked_loads_the_stages_but_for_the_charts_of_the_report():
    code = """
import sys
import django
django.setup()
from mining.tasks import preload_process
preload_process()
print(*(name in sys.modules for name in ("polars", "mining.stages.features", "mining.stages.measures", "altair")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True True False"
