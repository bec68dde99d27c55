"""What queries say that Django has no word for."""

from django.db.models import IntegerField, Subquery


class RowCount(Subquery):
    """How many rows a query gives, itself or for each row of the one it stands in.

    Counted apart, so that two counts do not multiply each other's rows as joins do, and no
    further than the query's own limit.
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
