"""Numbering evidence: the one place where a batch's number is raised."""

from django.db import transaction
from django.db.models import F

from annotation.models.batches import Batch


def next_number(batch_id: int) -> int:
    """Raise the batch's number under its row lock and return it.

    Call it as late as possible in the transaction that inserts the row: the lock is held until
    the commit, so that numbers follow the order of commits.

    :raises django.db.transaction.TransactionManagementError: outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("evidence is numbered inside a transaction")
    Batch.objects.filter(pk=batch_id).update(last_number=F("last_number") + 1)
    return Batch.objects.values_list("last_number", flat=True).get(pk=batch_id)
