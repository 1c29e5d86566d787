"""What `manage.py check` says of webhook settings that cannot be."""

from hardness_site.checks import webhook_settings_can_be_read


def test_good_settings_pass(settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.1", "10.1.0.0/16", "fd00::/8", ""]
    assert webhook_settings_can_be_read() == []


def test_each_wrong_network_is_named(settings):
    settings.WEBHOOK_NETWORKS = ["10.1.0.1/16", "gpu-7"]
    problems = webhook_settings_can_be_read()
    assert [one.id for one in problems] == ["hardness_site.E003"] * 2
    assert "10.1.0.1/16" in problems[0].msg and "gpu-7" in problems[1].msg


def test_a_pause_that_is_none_is_named(settings):
    settings.WEBHOOK_RETRY_SECONDS = [5.0, 0.0]
    assert [one.id for one in webhook_settings_can_be_read()] == ["hardness_site.E004"]
