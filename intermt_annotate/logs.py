"""What log lines leave out: the tokens of sign-in links, and tracebacks of mere refusals."""

import logging
import re

_SIGN_IN_LINK = re.compile(r"(/sign-in/)[^/\s'\"?]+")


class WithoutSecrets(logging.Filter):
    """Cut the token from every address of a sign-in link, in the message and in its traceback.

    An answer below 500 is no fault of the program: its line stays, its traceback goes.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep every one."""
        record.msg, record.args = _SIGN_IN_LINK.sub(r"\1…", record.getMessage()), ()
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        elif record.exc_info:
            told = logging.Formatter().formatException(record.exc_info)
            record.exc_info, record.exc_text = None, _SIGN_IN_LINK.sub(r"\1…", told)
        return True
