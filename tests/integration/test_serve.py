"""A running site, one for all these tests: it is private, stops cleanly and starts again in seconds."""

import time
from pathlib import Path

from tests.integration.conftest import refusal, wait_until
from tests.site import Site


def test_broker_has_no_port_and_a_private_folder(site):
    assert (site.data_dir / "run").stat().st_mode & 0o777 == 0o700
    valkey = site.pids()["valkey"]
    inodes = {str(path.readlink()) for path in Path(f"/proc/{valkey}/fd").iterdir()}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert not [row for row in listening if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


def test_second_start_takes_seconds(site):
    site.stop()
    began = time.monotonic()
    site.start()
    assert time.monotonic() - began < 20  # about 3 s where nothing else runs
    assert site.output().count("Prepared the static files.") <= 1


def test_stop_in_mid_job_puts_it_back_without_counting_the_attempt(site):
    job, path = site.queue(steps=200, seconds=0.2)
    wait_until(path.exists)
    site.stop()
    assert site.descendants() == []
    row = site.job(job)
    assert (row["status"], row["attempts"]) == ("queued", 0)
    assert "The site was stopped while it ran." in row["notes"]


def test_second_site_on_the_same_folder_is_refused_in_one_line(site):
    said = refusal(Site(site.data_dir))
    assert said == (
        f"CommandError: The site is running already for the data folder {site.data_dir}: {site.url} "
        f"(process {site.process.pid}). Stop it first, or name another folder in HARDNESS_DATA_DIR."
    )
