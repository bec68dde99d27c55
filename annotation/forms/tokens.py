"""What a lead enters to make a key for the API."""

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.choices import TokenScope
from annotation.forms.sections import SectionedForm

SCOPES = {
    TokenScope.READ_PAIRS: _("Read pairs"),
    TokenScope.READ_RATINGS: _("Read ratings"),
    TokenScope.READ_AGREEMENT: _("Read agreement"),
    TokenScope.EXPORTS: _("Start and fetch exports"),
    TokenScope.READ_IMAGES: _("Read pictures"),
}


class TokenForm(SectionedForm):
    """A name, what the key may do, and until when."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What it is for."))
    scopes = forms.MultipleChoiceField(
        label=_("May"), choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(label=_("Days until it ends"), initial=90, min_value=1, max_value=366)
