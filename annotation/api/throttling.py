"""How often a key may ask. A convenience for the server, not a defence: keys are the defence."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from annotation.models.projects import Token


class _PerToken(SimpleRateThrottle):
    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Count by key; what has none is refused elsewhere."""
        token = request.auth
        return f"throttle-{self.scope}-{token.pk}" if isinstance(token, Token) else None


class Reading(_PerToken):
    """Reads and downloads."""

    scope = "read"
    rate = "120/min"


class Starting(_PerToken):
    """Starts of exports."""

    scope = "export"
    rate = "6/hour"


class Pictures(_PerToken):
    """Pictures, of which a page of pairs names many."""

    scope = "images"
    rate = "1200/min"
