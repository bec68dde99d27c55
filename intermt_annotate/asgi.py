"""For ASGI servers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intermt_annotate.settings")

application = get_asgi_application()
