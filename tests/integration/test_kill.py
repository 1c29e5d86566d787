"""`kill -9` of any or all of the site's processes: what was acknowledged is there, and everything goes on."""

import os
import signal
import time

import pytest

from hardness_site.embedded import running_pid
from tests.integration.conftest import wait_until


def test_killed_worker_is_started_again_and_its_job_finishes(site):
    job, path = site.queue(steps=12, seconds=0.3)
    wait_until(path.exists)
    site.kill("worker")
    row = site.wait_for_job(job)
    assert row["attempts"] == 2
    assert "Its worker stopped while it ran." in row["notes"]
    runs = {line.split()[0] for line in path.read_text().splitlines()}
    assert len(runs) == 2, "two processes worked at it, one after the other"
    steps = [int(line.split()[1]) for line in path.read_text().splitlines()]
    assert steps[-12:] == list(range(12)), "nothing of the killed run came after the second had begun"


def test_killed_broker_is_started_again_and_waiting_jobs_run(site):
    (first, path), (second, _) = site.queue_all((15, 0.2), (1, 0))
    wait_until(path.exists)
    site.kill("valkey")
    assert site.wait_for_job(first)["attempts"] == 1
    assert site.wait_for_job(second)["result"] == {"steps": 1}
    wait_until(lambda: running_pid(site.data_dir) is not None)


def test_jobs_asked_for_while_the_broker_is_away_run_when_it_is_back(site):
    valkey = site.pids()["valkey"]
    os.kill(valkey, signal.SIGSTOP)
    try:
        job, path = site.queue(steps=1, seconds=0)
        assert not path.exists()
    finally:
        os.kill(valkey, signal.SIGCONT)
    assert site.wait_for_job(job)["result"] == {"steps": 1}


@pytest.mark.parametrize("names", [["web"], ["beat", "housekeeper"]], ids=" ".join)
def test_killed_part_is_started_again(site, names):
    before = site.pids()
    site.kill(*names)
    wait_until(lambda: all(site.pids().get(name, before[name]) != before[name] for name in names))
    site.wait_until_ready()
    assert f"The {names[0]} has ended; it starts again in 0.5 s." in site.output()


@pytest.mark.parametrize(
    "names",
    [["supervisor"], ["supervisor", "worker", "valkey", "web", "beat", "housekeeper"]],
    ids=["supervisor", "all"],
)
def test_next_start_after_a_kill_loses_nothing(site, names):
    (running, path), (waiting, _) = site.queue_all((20, 0.2), (1, 0))
    wait_until(path.exists)
    site.kill(*names)
    wait_until(lambda: site.descendants() == [], what="the kernel ends the children with their parent")
    site.start()
    row = site.wait_for_job(running)
    assert (row["attempts"], row["result"]) == (2, {"steps": 20})
    assert site.wait_for_job(waiting)["result"] == {"steps": 1}
    assert site.stop() == 0
    assert site.descendants() == []


def test_broken_file_of_the_broker_costs_no_job(site):
    site.stop()
    for path in (site.data_dir / "valkey" / "appendonlydir").iterdir():
        path.write_bytes(b"this is no append-only file" * 10)
    began = time.monotonic()
    waiting, _ = site.queue(steps=1, seconds=0)
    site.start()
    assert "the old file is kept in" in site.output()
    assert time.monotonic() - began < 60
    assert site.wait_for_job(waiting)["result"] == {"steps": 1}


def test_second_interrupt_does_not_wait_for_the_job(site):
    job, path = site.queue(steps=200, seconds=0.2)
    wait_until(path.exists)
    began = time.monotonic()
    site.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    site.stop(signal.SIGINT)
    assert time.monotonic() - began < 5
    assert site.job(job)["status"] == "queued"
