"""Who owns data, the people in it, and the keys machines use."""

import secrets
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from annotation.choices import Role
from annotation.labels import choices
from annotation.models.users import User


def new_public_id() -> str:
    """Return the random name a row has in URLs and files: 96 bits, URL-safe.

    Never with a hyphen first, which a command line would take for a switch.
    """
    name = secrets.token_urlsafe(12)
    return name if name[0] != "-" else new_public_id()


class Project(models.Model):
    """Owns imports, dialogues, rubrics, guidelines and batches; every query starts from it.

    `support` is whom to talk to after something hard: Markdown by language. `last_mark_number`
    is the number of the newest content mark; it is raised under this row's lock.
    """

    DEFAULT_SLUG = "default"

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    support = models.JSONField(default=dict, blank=True)
    last_mark_number = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug


class MemberQuerySet(models.QuerySet["Member"]):
    def active(self) -> Self:
        """Members who have not left."""
        return self.filter(ended_at=None)

    def of_user(self, user: User) -> Self:
        return self.filter(user=user)


class Member(models.Model):
    """A person in a project: role and pseudonym, and a user or none.

    Seats, drafts and judgments point here, so a reference annotator needs no account, and
    erasing a person deletes the user and leaves a pseudonym.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, related_name="memberships", null=True, blank=True
    )
    role = models.CharField(max_length=16, choices=choices(Role))
    pseudonym = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "pseudonym"], name="annotation_member_pseudonym_in_project"
            ),
            models.UniqueConstraint(
                fields=["project", "user"],
                condition=Q(user__isnull=False),
                name="annotation_member_user_once_in_project",
            ),
            models.CheckConstraint(
                condition=Q(role__in=list(Role)), name="annotation_member_known_role"
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class TokenQuerySet(models.QuerySet["Token"]):
    def usable(self, *, at: datetime) -> Self:
        """Neither revoked nor expired, of a member who has not left."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None, member__ended_at=None
        )


class Token(models.Model):
    """A machine's key: shown once, stored as SHA-256, limited to scopes."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
