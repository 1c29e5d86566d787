"""The browser and the test server meet."""

from playwright.sync_api import expect


def test_sign_in_page_is_shown_and_a_signed_in_user_passes_it(page, live_server, sign_in, manager):
    page.goto(f"{live_server.url}/accounts/login/")
    expect(page.get_by_label("Password")).to_be_visible()
    sign_in(manager)
    page.goto(f"{live_server.url}/api/v1/docs")
    expect(page.get_by_text("Hardness").first).to_be_visible(timeout=20_000)
