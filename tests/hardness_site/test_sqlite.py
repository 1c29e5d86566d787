"""Writers of SQLite in a fair line: across connections, threads and processes, and where one of them dies."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, connections, transaction

from hardness_site.sqlite.line import LineTimeout, WriterLine
from tests.site import ROOT


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "line")


def test_only_one_has_the_turn_and_the_next_gets_it(path):
    first, second = WriterLine(path, 5), WriterLine(path, 5)
    first.enter()
    order = []

    def wait():
        second.enter()
        order.append("second")
        second.leave()

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    order.append("first")
    first.leave()
    waiting.join(5)
    assert order == ["first", "second"]


def wait_until_in_line(path, wanted):
    """Wait until so many wait for the file, as the kernel lists them."""
    file = f":{Path(path).stat().st_ino} "
    for _ in range(1000):
        locks = Path("/proc/locks").read_text().splitlines()
        if sum("-> FLOCK" in lock and file in lock for lock in locks) >= wanted:
            return
        time.sleep(0.01)
    raise AssertionError(f"There were never {wanted} in the line.")


def test_they_are_served_in_the_order_in_which_they_came(path):
    holder = WriterLine(path, 5)
    holder.enter()
    order, threads = [], []

    def wait(number):
        line = WriterLine(path, 5)
        line.enter()
        order.append(number)
        line.close()

    for number in range(6):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        wait_until_in_line(path, number + 1)
    holder.leave()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4, 5]


def test_waiting_ends_in_time_and_leaves_the_line_usable(path):
    holder, late = WriterLine(path, 5), WriterLine(path, 0.1)
    holder.enter()
    errors = []

    def wait():
        try:
            late.enter()
        except LineTimeout as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(5)
    assert len(errors) == 1
    assert not late.is_held
    holder.leave()
    time.sleep(0.1)  # the one who gave up is served now, and lets go at once
    holder.enter()
    assert holder.is_held


def test_a_thread_never_waits_for_itself(path):
    first, second = WriterLine(path, 5), WriterLine(path, 5)
    first.enter()
    second.enter()
    assert (first.is_held, second.is_held) == (True, False)
    first.leave()


HOLD = """
import sys, time
from hardness_site.sqlite.line import WriterLine
WriterLine(sys.argv[1], 5).enter()
print("entered", flush=True)
time.sleep(60)
"""


def test_a_killed_process_gives_its_turn_back(path):
    with subprocess.Popen([sys.executable, "-c", HOLD, path], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"entered\n"
        threading.Timer(0.2, process.kill).start()
        line = WriterLine(path, 10)
        line.enter()
        assert line.is_held


def test_a_forked_child_has_a_place_of_its_own(path):
    line = WriterLine(path, 5)
    line.enter()
    child = os.fork()
    if child == 0:
        line.leave()  # what a fork inherits is not its turn
        os._exit(0)
    os.waitpid(child, 0)
    other = WriterLine(path, 0.1)
    errors = []

    def wait():
        try:
            other.enter()
        except LineTimeout as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(5)
    assert len(errors) == 1, "the parent still has its turn"


def is_free() -> bool:
    """Whether somebody else could write now."""
    got = []

    def probe():
        line = WriterLine(f"{connection.settings_dict['NAME']}-writers", 0.05)
        try:
            line.enter()
            got.append(True)
        except LineTimeout:
            got.append(False)
        line.close()

    thread = threading.Thread(target=probe)
    thread.start()
    thread.join()
    return got[0]


needs_sqlite = pytest.mark.usefixtures("only_sqlite")


@pytest.mark.django_db(transaction=True)
@needs_sqlite
@pytest.mark.parametrize("end", ["commit", "rollback", "nested", "autocommit", "failed"])
def test_the_turn_is_taken_for_a_transaction_and_always_given_back(end):
    assert is_free()
    if end == "commit":
        with transaction.atomic():
            assert not is_free(), "BEGIN IMMEDIATE is a writer's from its start"
            Group.objects.create(name="a")
    elif end == "rollback":
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Group.objects.create(name="a")
            _ = 1 / 0
    elif end == "nested":
        with transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                _ = 1 / 0
            assert not is_free(), "a savepoint's end is not the transaction's"
    elif end == "autocommit":
        Group.objects.create(name="a")
        Group.objects.filter(name="a").update(name="b")
        Group.objects.bulk_create([Group(name=str(i)) for i in range(3)])
    else:
        Group.objects.create(name="a")
        with pytest.raises(Exception, match="UNIQUE"):
            Group.objects.create(name="a")
    assert is_free()


@pytest.mark.django_db(transaction=True)
@needs_sqlite
def test_closing_a_connection_in_a_transaction_gives_the_turn_back():
    def begin_and_close():
        transaction.set_autocommit(False)
        Group.objects.create(name="lost")
        connection.close()

    thread = threading.Thread(target=begin_and_close)
    thread.start()
    thread.join()
    assert is_free()
    assert not Group.objects.filter(name="lost").exists()


@pytest.mark.django_db(transaction=True)
@needs_sqlite
def test_waiting_too_long_is_djangos_own_error(monkeypatch):
    holder = WriterLine(f"{connection.settings_dict['NAME']}-writers", 5)
    entered, done = threading.Event(), threading.Event()

    def hold():
        holder.enter()
        entered.set()
        done.wait(10)
        holder.leave()

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(5)
    connection.ensure_connection()
    monkeypatch.setattr(connection._line, "timeout", 0.1)
    with pytest.raises(OperationalError, match="database is locked"), transaction.atomic():
        pass
    with pytest.raises(OperationalError, match="database is locked"):
        Group.objects.create(name="late")
    done.set()
    thread.join()
    Group.objects.create(name="in time")
    assert list(Group.objects.values_list("name", flat=True)) == ["in time"]


@pytest.mark.django_db(transaction=True)
def test_many_threads_read_then_write_and_no_increment_is_lost():
    group = Group.objects.create(name="0")
    errors = []

    def work():
        try:
            for _ in range(10):
                with transaction.atomic():
                    row = Group.objects.select_for_update().get(pk=group.pk)
                    row.name = str(int(row.name) + 1)
                    row.save()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    group.refresh_from_db()
    assert (errors, group.name) == ([], "80")
