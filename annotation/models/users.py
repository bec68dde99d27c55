"""Who signs in."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who can sign in, and how they like their screen. Evidence never points here.

    `one_column` and `scroll_apart` are for the judging page: one side at a time, and sides that
    scroll by themselves within a turn. `break_minutes` is after how much work in a row they want
    to be reminded to rest; 0 is never.
    """

    language = models.CharField(max_length=16, blank=True)
    theme = models.CharField(max_length=16, blank=True)
    text_size = models.CharField(max_length=16, blank=True)
    contrast = models.CharField(max_length=16, blank=True)
    single_keys = models.BooleanField(default=True)
    one_column = models.BooleanField(default=False)
    scroll_apart = models.BooleanField(default=False)
    break_minutes = models.PositiveSmallIntegerField(default=0)
