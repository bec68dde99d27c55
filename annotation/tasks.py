"""Celery's way in: load, call one action, done. Every task is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from annotation.actions import assignments


@shared_task(name="annotation.sweep_leases")
def sweep_leases() -> None:
    """Free the seats whose lease ran out."""
    assignments.release_lapsed(now=timezone.now())
