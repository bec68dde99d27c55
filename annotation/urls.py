"""The app's addresses, a list per noun. Routes are named `noun` or `noun-verb`."""

from django.urls import URLPattern, URLResolver, include, path

from annotation.views import batches, desk, exports, figures, images, judging, sign_in

app_name = "annotation"

urlpatterns: list[URLPattern | URLResolver] = []

desk_urls = [
    path("", desk.desk, name="desk"),
    path("my-work/", desk.my_work, name="my-work"),
    path("screen/", desk.screen, name="screen"),
    path("batches/<slug:slug>/next/", desk.next_item, name="next"),
    path("batches/<slug:slug>/guideline/", desk.guideline, name="guideline"),
]
judging_urls = [
    path("items/<str:public_id>/", judging.assignment, name="assignment"),
    path("items/<str:public_id>/draft/", judging.draft, name="assignment-draft"),
    path("items/<str:public_id>/skip/", judging.skip_item, name="assignment-skip"),
    path("items/<str:public_id>/flag/", judging.flag_item, name="assignment-flag"),
    path("items/<str:public_id>/undo/", judging.undo, name="assignment-undo"),
    path("items/<str:public_id>/images/<str:sha256>/<str:size>", images.image, name="image"),
]
urlpatterns += desk_urls
urlpatterns += judging_urls

batch_urls = [
    path("batches/", batches.batches, name="batches"),
    path("batches/<slug:slug>/", batches.batch, name="batch"),
    path("batches/<slug:slug>/state/", batches.batch_state, name="batch-state"),
    path("batches/<slug:slug>/offer-again/", batches.batch_offer_again, name="batch-offer-again"),
]
urlpatterns += batch_urls

figure_urls = [
    path("batches/<slug:slug>/agreement/", figures.agreement, name="agreement"),
]
urlpatterns += figure_urls

export_urls = [
    path("exports/", exports.exports, name="exports"),
    path("exports/<str:public_id>/file/", exports.export_file, name="export-file"),
]
urlpatterns += export_urls
urlpatterns += [path("sign-in/<str:token>/", sign_in.sign_in_link, name="sign-in-link")]
urlpatterns += [path("api/v1/", include("annotation.api.urls"))]
