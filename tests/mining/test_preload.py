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
from celery.signals import worker_process_init
worker_process_init.send(sender=None)
print("mining.stages.measures" in sys.modules, "altair" in sys.modules)
"""


@pytest.mark.parametrize(
    ("pool", "processes", "printed"),
    [
        ("prefork", 2, "True False\nTrue False"),
        ("prefork", 1, "False False\nFalse False"),
        ("threads", 3, "False False\nFalse False"),
    ],
)
def test_several_processes_share_arithmetic_and_no_threads_and_each_loads_the_stages_but_for_charts(
    pool, processes, printed
):
    code = CODE.format(pool=pool, processes=processes)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed
