"""The browser and the test server meet."""


def test_sign_in_page_is_shown_and_a_signed_in_user_passes_it(page, live_server, sign_in, manager):
    page.goto(f"{live_server.url}/accounts/login/")
    assert page.get_by_label("Password").is_visible()
    sign_in(manager)
    page.goto(f"{live_server.url}/api/v1/docs")
    assert page.get_by_text("Hardness").first.is_visible()
