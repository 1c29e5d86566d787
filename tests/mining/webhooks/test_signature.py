"""Signatures: the scheme's own example, and what must be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mining.webhooks.signature import SignatureRefused, secret_text, sign, signed_headers, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, TIME, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_the_example_of_the_scheme_comes_out():
    assert sign(SECRET, message_id=ID, timestamp=TIME, body=BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(key=st.binary(min_size=1, max_size=64), body=st.binary(max_size=300), late=st.integers(-300, 300))
def test_what_was_signed_is_taken_within_the_window(key, body, late):
    headers = signed_headers([secret_text(key)], message_id="msg_1", timestamp=TIME, body=body)
    verify(secret_text(key), headers=headers, body=body, now=TIME + late)


@given(body=st.binary(max_size=300), where=st.integers(0, 299), bit=st.integers(0, 7))
def test_one_changed_bit_is_refused(body, where, bit):
    headers = signed_headers([SECRET], message_id="msg_1", timestamp=TIME, body=body)
    other = bytearray(body or b"\0")
    other[where % len(other)] ^= 1 << bit
    with pytest.raises(SignatureRefused, match="does not fit"):
        verify(SECRET, headers=headers, body=bytes(other), now=TIME)


def test_while_a_secret_is_replaced_both_hold():
    old, new = secret_text(b"o" * 32), secret_text(b"n" * 32)
    headers = signed_headers([new, old], message_id=ID, timestamp=TIME, body=BODY)
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        verify(secret, headers=headers, body=BODY, now=TIME)
    with pytest.raises(SignatureRefused):
        verify(secret_text(b"x" * 32), headers=headers, body=BODY, now=TIME)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"webhook-timestamp": str(TIME - 301)}, "too long ago"),
        ({"webhook-timestamp": str(TIME + 301)}, "too long ago"),
        ({"webhook-timestamp": str(TIME - 1)}, "does not fit"),
        ({"webhook-timestamp": "yesterday"}, "whole number"),
        ({"webhook-id": "msg_other"}, "does not fit"),
        ({"webhook-signature": ""}, "no header webhook-signature"),
        ({"webhook-signature": "v1,é"}, "does not fit"),
        ({"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, "does not fit"),
    ],
)
def test_a_replayed_or_changed_message_is_refused(change, words):
    headers = signed_headers([SECRET], message_id=ID, timestamp=TIME, body=BODY) | change
    with pytest.raises(SignatureRefused, match=words):
        verify(SECRET, headers=headers, body=BODY, now=TIME)


def test_header_names_may_come_in_any_case():
    headers = signed_headers([SECRET], message_id=ID, timestamp=TIME, body=BODY)
    verify(SECRET, headers={name.title(): value for name, value in headers.items()}, body=BODY, now=TIME)
