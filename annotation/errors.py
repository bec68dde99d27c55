"""Refusals: what a person asked for and did not get, with a message fit for that person.

Every action raises a subclass defined beside it. The interface layer turns them into a page
message, a 4xx answer or a CommandError; none of them ever becomes a 500.
"""


class AnnotationError(Exception):
    """Something was refused. `str(error)` says what happened and what to do."""

    status = 409


class NotAllowed(AnnotationError):
    """The person may not do this, or may not know that it exists."""

    status = 403


class NotFound(AnnotationError):
    """There is no such thing among the things this person may see."""

    status = 404


class Invalid(AnnotationError):
    """What was sent cannot be taken: `fields` names each place and what is wrong with it."""

    status = 422

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}
