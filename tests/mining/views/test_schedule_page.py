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


def test_the_page_says_which_settings_the_next_one_has(manager_client, project, items, manager, make_round):
    from mining.models import Round
    from mining.services.rounds import start_round

    first = start_round(project=project, learners=["logistic"], strategies=["band"], created_by=manager)
    Round.objects.update(status="succeeded")
    address = reverse("round_schedule", args=["pets"])
    manager_client.post(address, {"every_annotations": "5", "every_hours": "", "settings_from": "latest"})
    page = manager_client.get(address)
    text = page.content.decode()
    assert "The next one has the settings of round 1" in text and first.get_absolute_url() in text
    assert ("Learners", "logistic") in page.context["settings"]["facts"]
    assert ("Strategies", "band") in page.context["settings"]["facts"]

    manager_client.post(address, {"every_annotations": "5", "every_hours": "", "settings_from": "usual"})
    page = manager_client.get(address)
    assert "The next one has the usual settings" in page.content.decode()
    assert ("Learners", "hog_svm") in page.context["settings"]["facts"]

    manager_client.post(address, {"every_annotations": "5", "every_hours": "", "settings_from": "round 1"})
    schedule = RoundSchedule.objects.get()
    assert (schedule.settings_from, schedule.like_round) == ("round", first)
    assert '<option value="round 1" selected>' in manager_client.get(address).content.decode()
    refused = manager_client.post(address, {"every_annotations": "5", "every_hours": "", "settings_from": "round 9"})
    assert refused.status_code == 422 and RoundSchedule.objects.get().like_round == first


def test_settings_that_cannot_be_any_more_are_said_before_the_round_is_due(manager_client, project, items, manager):
    from mining.models import Round
    from mining.services.rounds import start_round

    start_round(project=project, learners=["logistic"], created_by=manager)
    round_ = Round.objects.get()
    round_.status, round_.params = "succeeded", {**round_.params, "groups": "patients"}
    round_.save()
    address = reverse("round_schedule", args=["pets"])
    manager_client.post(address, {"every_annotations": "5", "every_hours": ""})
    assert (
        "It could not start now: No groups are called &#x27;patients&#x27;"
        in manager_client.get(address).content.decode()
    )
