import pytest

from mining.models import HardSet, HardSetMember, Round, RoundStage, SecondLook, Webhook
from mining.services.webhooks import create_webhook, send_test
from tests import factories


@pytest.fixture
def rows(project, manager):
    (item,) = factories.make_items(project, 1)
    headline = [{"name": "agreement", "value": ".41", "interval": ".2 to .6"}]
    round_ = Round.objects.create(
        project=project, number=1, folder="rounds/1/1", status="succeeded", summary={"headline": headline}
    )
    RoundStage.objects.create(round=round_, index=0, name="snapshot", status="succeeded")
    hard_set = HardSet.objects.create(round=round_, strategy="time_hard", sha256="0" * 64, n_members=1)
    HardSetMember.objects.create(hard_set=hard_set, item=item, rank=1, score=1.0, reason="slow")
    SecondLook.objects.create(hard_set=hard_set, extra_judgments=1, n_items=1, created_by=manager)
    webhook, _ = create_webhook(project=project, url="https://trainer.example.org/", events=["round.finished"])
    send_test(webhook=webhook)
    return round_


@pytest.mark.parametrize(
    "model", ["round", "roundstage", "hardset", "hardsetmember", "secondlook", "webhook", "webhookdelivery"]
)
def test_staff_see_lists_and_rows_and_change_nothing(rows, admin_client, model):
    page = admin_client.get(f"/admin/mining/{model}/")
    assert page.status_code == 200

    assert admin_client.get(f"/admin/mining/{model}/add/").status_code == 403


def test_the_list_of_rounds_shows_the_figure_and_links_to_the_report(rows, admin_client):
    page = admin_client.get("/admin/mining/round/").content.decode()

    assert ".41 (.2 to .6)" in page
    assert rows.get_absolute_url() in page
    assert admin_client.get(f"/admin/mining/round/{rows.pk}/change/").status_code == 200


def test_of_a_webhook_nothing_is_shown_that_makes_its_secret(rows, admin_client):
    webhook = Webhook.objects.get()
    page = admin_client.get(f"/admin/mining/webhook/{webhook.pk}/change/").content.decode()
    assert "https://trainer.example.org/" in page and webhook.salt not in page
