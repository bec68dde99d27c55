"""What a lead enters to import dialogues."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.actions.import_jobs import Wanted
from annotation.formats.recognise import AUTO, FORMATS
from annotation.forms.sections import SectionedForm


class ImportForm(SectionedForm):
    """A small file, or a path below the import folder, and how to read it."""

    headings: ClassVar = (
        (_("What"), ("upload", "path", "images")),
        (_("How"), ("format", "strict", "dry_run")),
    )

    upload = forms.FileField(
        label=_("File"), required=False, help_text=_("JSON or JSON lines, small enough to upload.")
    )
    path = forms.CharField(
        label=_("Or a path"),
        required=False,
        max_length=255,
        help_text=_("A file or folder below the import folder of this installation."),
    )
    images = forms.CharField(
        label=_("Pictures"),
        required=False,
        max_length=255,
        help_text=_("A folder below the import folder in which to look for pictures, too."),
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[(AUTO, _("recognise it")), *((name, name) for name in FORMATS)],
        initial=AUTO,
    )
    strict = forms.BooleanField(
        label=_("Strict"), required=False, help_text=_("Write nothing if any record is refused.")
    )
    dry_run = forms.BooleanField(
        label=_("Dry run"), required=False, help_text=_("Report everything, write nothing.")
    )

    def wanted(self) -> Wanted:
        """Return what was entered, for `request_import`. Call it on a valid form."""
        return Wanted(**self.cleaned_data)
