"""The schedule of rounds, on its page and as part of the settings."""

from django.urls import reverse

from mining.models import RoundSchedule


def test_it_is_set_shown_and_taken_back(manager_client, project):
    address = reverse("round_schedule", args=["pets"])
    answer = manager_client.post(address, {"every_annotations": "500", "every_hours": ""}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("project_settings", args=["pets"])
    page = answer.content.decode()
    assert "Saved. Rounds start by themselves after 500 new annotations." in page
    assert f'hx-get="{address}"' in page
    assert RoundSchedule.objects.get(project=project).every_annotations == 500
    part = manager_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'value="500"' in part and "<html" not in part
    manager_client.post(address, {"every_annotations": "", "every_hours": ""})
    assert not RoundSchedule.objects.exists()


def test_a_number_that_cannot_be_changes_nothing(manager_client, project):
    answer = manager_client.post(reverse("round_schedule", args=["pets"]), {"every_hours": "0"})
    assert answer.status_code == 422
    assert "greater than or equal to 1" in answer.content.decode()
    assert not RoundSchedule.objects.exists()


def test_only_managers_see_it(client, annotator_user, project):
    client.force_login(annotator_user)
    assert client.get(reverse("round_schedule", args=["pets"])).status_code == 404
