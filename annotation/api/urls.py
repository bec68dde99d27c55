"""The addresses under /api/v1/."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from annotation.api.agreement import Agreement
from annotation.api.authentication import HasKey
from annotation.api.batches import Pairs, Ratings
from annotation.api.exports import ExportFile, Exports, ExportState
from annotation.api.images import ImageFile
from annotation.api.progress import Progress
from annotation.api.quality import Quality
from annotation.api.reviews import Reviews
from annotation.api.views import Unknown

urlpatterns = [
    path("batches/<slug:slug>/progress/", Progress.as_view(), name="api-progress"),
    path("batches/<slug:slug>/pairs/", Pairs.as_view(), name="api-pairs"),
    path("batches/<slug:slug>/ratings/", Ratings.as_view(), name="api-ratings"),
    path("batches/<slug:slug>/agreement/", Agreement.as_view(), name="api-agreement"),
    path("batches/<slug:slug>/quality/", Quality.as_view(), name="api-quality"),
    path("batches/<slug:slug>/reviews/", Reviews.as_view(), name="api-reviews"),
    path("exports/", Exports.as_view(), name="api-exports"),
    path("exports/<str:public_id>/", ExportState.as_view(), name="api-export"),
    path("exports/<str:public_id>/file/", ExportFile.as_view(), name="api-export-file"),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[HasKey]), name="api-schema"),
    path("images/<str:sha256>/", ImageFile.as_view(), name="api-image"),
    re_path("", Unknown.as_view(), name="api-unknown"),
]
