"""The form for a new API token."""

from __future__ import annotations

from django import forms

from annotations.models import ApiToken
from annotations.services.tokens import MOST_DAYS


class TokenForm(forms.Form):
    """What will use the token, what it may do, and for how long."""

    name = forms.CharField(max_length=80, label="Name", help_text="What will use it, for example “training cluster”.")
    scopes = forms.MultipleChoiceField(
        label="It may", choices=ApiToken.Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    expires_in_days = forms.IntegerField(
        label="Valid for, in days",
        required=False,
        initial=365,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="Empty: until it is revoked.",
    )
