"""Pictures by the hash of their bytes: the originals, as exports carry them."""

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from annotation.api.authentication import lead_of
from annotation.api.throttling import Pictures
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.errors import NotFound
from annotation.models.content import Image


class ImageFile(Endpoint):
    """One original."""

    scope = TokenScope.READ_IMAGES
    throttle_classes = [Pictures]

    @extend_schema(
        operation_id="image",
        summary="A picture's original bytes",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="No such picture in the project."),
        },
    )
    def get(self, request: Request, sha256: str) -> HttpResponseBase:
        """Send the file whose SHA-256 is in the address; nothing in it is ever run."""
        image = Image.objects.filter(project=lead_of(request).project, sha256=sha256).first()
        if image is None or not image.original.storage.exists(image.original.name):
            raise NotFound("There is no such picture.")
        return FileResponse(
            image.original.open("rb"),
            as_attachment=True,
            filename=image.sha256,
            content_type="application/octet-stream",
            headers={
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, max-age=31536000, immutable",
                "ETag": f'"{image.sha256}"',
            },
        )
