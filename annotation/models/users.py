"""Who signs in."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who can sign in, and how they like their screen. Evidence never points here."""

    language = models.CharField(max_length=16, blank=True)
    theme = models.CharField(max_length=16, blank=True)
    text_size = models.CharField(max_length=16, blank=True)
    single_keys = models.BooleanField(default=True)
