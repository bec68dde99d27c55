"""Wiring only: settings, URLs, Celery, WSGI, ASGI, middleware."""

from intermt_annotate.celery import app as celery_app

__all__ = ["celery_app"]
