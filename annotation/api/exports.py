"""Starting exports, watching them, fetching them, also in pieces."""

from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from annotation.actions.exports import read_options, request_export
from annotation.api.authentication import lead_of
from annotation.api.throttling import Reading, Starting
from annotation.api.views import Endpoint
from annotation.choices import JobState, TokenScope
from annotation.errors import AnnotationError, NotFound
from annotation.formats.options import CHOICES, ExportOptions
from annotation.formats.ranges import Unsatisfiable, asked_range, pieces
from annotation.models.exports import Export
from annotation.reports.exports import batches_named, exports_of
from annotation.tasks import send_export

LISTED = 100


class NotReady(AnnotationError):
    """The export is not built."""


class Options(serializers.Serializer[dict[str, Any]]):
    """The options of `manage.py export_pairs`; what is left out has its default."""

    format = serializers.ChoiceField(choices=CHOICES["format"], required=False)
    dimension = serializers.CharField(required=False, max_length=64)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=CHOICES["source"], required=False
    )
    min_gap = serializers.FloatField(required=False, min_value=0, max_value=11)
    aggregate = serializers.ChoiceField(choices=CHOICES["aggregate"], required=False)
    ties = serializers.ChoiceField(choices=CHOICES["ties"], required=False)
    margin = serializers.ChoiceField(choices=CHOICES["margin"], required=False)
    split = serializers.CharField(required=False, max_length=20)
    seed = serializers.IntegerField(required=False, min_value=0)
    text = serializers.ChoiceField(choices=CHOICES["text"], required=False)
    images = serializers.ChoiceField(choices=["copy", "none"], required=False)
    last_response_only = serializers.BooleanField(required=False)
    response_images = serializers.ChoiceField(choices=CHOICES["response_images"], required=False)
    set = serializers.ChoiceField(choices=CHOICES["set"], required=False)
    without_marks = serializers.CharField(required=False, max_length=2000)
    marks_at = serializers.IntegerField(required=False, min_value=-1)


class Start(serializers.Serializer[dict[str, Any]]):
    """What an export is to be made of."""

    batches = serializers.ListField(child=serializers.SlugField(), min_length=1, max_length=100)
    options = Options(required=False)


class State(serializers.ModelSerializer[Export]):
    """How far an export is."""

    id = serializers.CharField(source="public_id")
    state = serializers.ChoiceField(choices=[state.value for state in JobState])
    snapshot = serializers.DictField(child=serializers.IntegerField())
    options = serializers.DictField(child=serializers.JSONField())
    manifest = serializers.JSONField(allow_null=True)

    class Meta:
        model = Export
        fields = [
            "id",
            "state",
            "progress",
            "total",
            "error",
            "snapshot",
            "options",
            "sha256",
            "manifest",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class Exports(Endpoint):
    """The project's exports."""

    scope = TokenScope.EXPORTS

    def get_throttles(self) -> list[BaseThrottle]:
        """Count starts apart from looks."""
        return [Starting() if self.request.method == "POST" else Reading()]

    @extend_schema(operation_id="exports", summary="The newest exports", responses=State(many=True))
    def get(self, request: Request) -> Response:
        """List the hundred newest exports."""
        rows = exports_of(lead_of(request).project)[:LISTED]
        return Response(State(rows, many=True).data)

    @extend_schema(
        operation_id="export_start",
        summary="Start an export",
        description="Builds the snapshot of now in the background; one at a time for a project.",
        request=Start,
        responses={202: State, 409: OpenApiResponse(description="One is being made.")},
    )
    def post(self, request: Request) -> Response:
        """Start an export of the batches as they stand now."""
        told = Start(data=request.data)
        told.is_valid(raise_exception=True)
        lead = lead_of(request)
        options: ExportOptions = read_options(told.validated_data.get("options", {}))
        batches = batches_named(lead.project, told.validated_data["batches"])
        export = request_export(batches, options=options, by=lead, now=timezone.now())
        send_export(export.pk)
        return Response(State(export).data, status=202)


class ExportState(Endpoint):
    """One export."""

    scope = TokenScope.EXPORTS
    throttle_classes = [Reading]

    @extend_schema(operation_id="export", summary="How far an export is", responses=State)
    def get(self, request: Request, public_id: str) -> Response:
        """Return state, progress and, when done, the manifest and the archive's SHA-256."""
        return Response(State(_export(request, public_id)).data)


class ExportFile(Endpoint):
    """The archive of an export."""

    scope = TokenScope.EXPORTS
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="export_file",
        summary="Download an export",
        description="A tar archive. `Range` fetches the rest of a download that was cut.",
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER)],
        responses={
            (200, "application/x-tar"): OpenApiTypes.BINARY,
            (206, "application/x-tar"): OpenApiTypes.BINARY,
            409: OpenApiResponse(description="It is not built."),
            416: OpenApiResponse(description="Nothing of the range is in the file."),
        },
    )
    def get(self, request: Request, public_id: str) -> HttpResponseBase:
        """Send the archive, or the range of it that is asked for."""
        export = _export(request, public_id)
        if export.state != JobState.DONE or not export.file:
            raise NotReady(f"This export is {export.state}. {export.error}".strip())
        size = export.file.size
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"{export.sha256}"',
        }
        try:
            asked = request.headers.get("Range")
            wanted = asked_range(asked, size) if _same(request, export) else None
        except Unsatisfiable as reason:
            return HttpResponse(status=416, headers={"Content-Range": str(reason)})
        file = export.file.open("rb")
        if wanted is None:
            return FileResponse(
                file,
                as_attachment=True,
                filename=f"{export.public_id}.tar",
                content_type="application/x-tar",
                headers=headers,
            )
        headers |= {"Content-Range": wanted.header, "Content-Length": str(wanted.length)}
        return StreamingHttpResponse(
            pieces(file, wanted), status=206, content_type="application/x-tar", headers=headers
        )


def _export(request: Request, public_id: str) -> Export:
    export = exports_of(lead_of(request).project).filter(public_id=public_id).first()
    if export is None:
        raise NotFound("There is no such export.")
    return export


def _same(request: Request, export: Export) -> bool:
    """Say whether the part the caller has is of this file, as far as they say."""
    return request.headers.get("If-Range") in {None, f'"{export.sha256}"'}
