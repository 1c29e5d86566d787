"""Groups of processes: what has ended holds nobody up, what runs is waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from hardness_site.processes import started_at, wait_for_group

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not say what has ended")


def test_a_process_that_nobody_has_asked_after_is_not_waited_for():
    process = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    os.killpg(process.pid, 0)  # still in its group
    began = time.monotonic()
    wait_for_group(process.pid, seconds=20)
    assert time.monotonic() - began < 10
    assert process.wait() == 0


def test_a_process_that_runs_is_waited_for():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        began = time.monotonic()
        wait_for_group(process.pid, seconds=0.3)
        assert time.monotonic() - began >= 0.3
    finally:
        process.kill()
        process.wait()


def test_a_second_process_of_the_group_is_waited_for_when_its_leader_is_gone():
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1)']).pid)"
    leader = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    assert leader.stdout is not None
    second = int(leader.stdout.readline())
    leader.wait()
    wait_for_group(leader.pid, seconds=20)
    leader.stdout.close()
    assert started_at(second) is None, "ended"


def test_a_group_that_is_not_there_takes_no_time():
    process = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    process.wait()
    began = time.monotonic()
    wait_for_group(process.pid, seconds=20)
    assert time.monotonic() - began < 10
