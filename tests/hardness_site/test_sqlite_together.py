"""Writes of several threads in one transaction: all are told the truth about their own."""

import threading

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from hardness_site.sqlite import base
from hardness_site.sqlite.line import WriterLine

INSERT = "INSERT INTO auth_group (name) VALUES (?)"

pytestmark = pytest.mark.usefixtures("only_sqlite")


@pytest.fixture
def batches(monkeypatch):
    """How many writes each transaction had."""
    sizes = []
    run_all = base.run_all

    def counted(raw, writes):
        sizes.append(len(writes))
        run_all(raw, writes)

    monkeypatch.setattr(base, "run_all", counted)
    return sizes


def waiting(writes, *, hold_seconds=0.5, timeout=None):
    """Let threads write while another writer has the turn, which then leaves; return what each was told."""
    told = {}
    ready = threading.Barrier(len(writes) + 1)
    holder = WriterLine(f"{connection.settings_dict['NAME']}-writers", 5)

    def write(i, sql, values):
        connection.ensure_connection()
        if timeout is not None:
            connection._line.timeout = timeout
        ready.wait(10)
        try:
            connection.write_together(sql, values)
            told[i] = None
        except Exception as error:
            told[i] = error
        finally:
            connections.close_all()

    holder.enter()
    threads = [threading.Thread(target=write, args=(i, *each)) for i, each in enumerate(writes)]
    for thread in threads:
        thread.start()
    ready.wait(10)
    threading.Event().wait(hold_seconds)
    holder.close()
    for thread in threads:
        thread.join(20)
    return [told[i] for i in range(len(writes))]


def names():
    return sorted(Group.objects.values_list("name", flat=True))


@pytest.mark.django_db(transaction=True)
def test_those_that_wait_are_written_in_one_transaction(batches):
    assert waiting([(INSERT, [str(i)]) for i in range(6)]) == [None] * 6
    assert names() == ["0", "1", "2", "3", "4", "5"]
    assert batches == [6]


@pytest.mark.django_db(transaction=True)
def test_who_breaks_a_rule_is_told_and_the_others_are_written(batches):
    Group.objects.create(name="there")
    told = waiting([(INSERT, ["a"]), (INSERT, ["there"]), (INSERT, ["b"])])
    assert [type(each) for each in told] == [type(None), IntegrityError, type(None)]
    assert names() == ["a", "b", "there"]
    assert batches == [3]


@pytest.mark.django_db(transaction=True)
def test_a_reference_that_leads_nowhere_shows_at_the_commit_and_costs_only_its_own_write(batches):
    group = Group.objects.create(name="there")
    permission = Permission.objects.first()
    reference = "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (?, ?)"
    told = waiting([(INSERT, ["a"]), (reference, [group.pk, 10**9]), (reference, [group.pk, permission.pk])])
    assert [type(each) for each in told] == [type(None), IntegrityError, type(None)]
    assert names() == ["a", "there"]
    assert list(group.permissions.all()) == [permission]
    assert batches == [3]


@pytest.mark.django_db(transaction=True)
def test_another_error_undoes_all_and_all_are_told(batches):
    told = waiting([(INSERT, ["a"]), ("INSERT INTO nowhere VALUES (?)", [1]), (INSERT, ["b"])])
    assert [type(each) for each in told] == [OperationalError] * 3
    assert len({id(each) for each in told}) == 3, "each thread raises an error of its own"
    assert names() == []
    assert waiting([(INSERT, ["later"])]) == [None], "the line is free, and somebody leads again"


@pytest.mark.django_db(transaction=True)
def test_a_turn_that_does_not_come_in_time_is_djangos_own_error(batches):
    told = waiting([(INSERT, ["a"]), (INSERT, ["b"])], hold_seconds=1.0, timeout=0.2)
    assert [type(each) for each in told] == [OperationalError] * 2
    assert "database is locked" in str(told[0])
    assert batches == []
    assert waiting([(INSERT, ["later"])]) == [None]
    assert names() == ["later"]


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_of_the_callers_it_is_a_part_of_it(batches):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        connection.write_together(INSERT, ["a"])
        assert names() == ["a"]
        _ = 1 / 0
    assert names() == []
    assert batches == []


@pytest.mark.django_db(transaction=True)
def test_many_threads_for_a_while_and_nothing_is_lost(batches):
    told = []

    def work(number):
        for i in range(25):
            connection.write_together(INSERT, [f"{number}-{i}"])
            told.append(f"{number}-{i}")
        connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 200
    assert names() == sorted(told)
    assert sum(batches) == 200
