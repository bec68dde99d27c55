"""Celery's way in: load, call one action, done. Every task is safe to run twice."""
