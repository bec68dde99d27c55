"""What a lead enters to let a person into the project."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.utils.translation import gettext_lazy

from annotation.choices import Role
from annotation.forms.sections import SectionedForm
from annotation.labels import choices
from annotation.models.projects import Project
from annotation.models.users import User


class MemberForm(SectionedForm):
    """A person and their role: a user who is not in the project yet, or none."""

    labels: ClassVar[Mapping[str, Any]] = {
        "user": gettext_lazy("User"),
        "pseudonym": gettext_lazy("Pseudonym"),
        "role": gettext_lazy("Role"),
    }

    user = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        help_text=gettext_lazy("None: a reference annotator, who cannot sign in."),
    )
    pseudonym = forms.CharField(
        max_length=64,
        help_text=gettext_lazy("What stands in files and figures, for ever: not the name."),
    )
    role = forms.ChoiceField(choices=choices(Role), initial=Role.ANNOTATOR)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = User.objects.filter(is_active=True).exclude(memberships__project=project)
        users = cast("forms.ModelChoiceField[User]", self.fields["user"])
        users.queryset = others.order_by("username")
