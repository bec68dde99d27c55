"""The app's addresses, a list per noun. Routes are named `noun` or `noun-verb`."""

from django.urls import URLPattern, URLResolver, include, path

from annotation.views import (
    adjudications,
    annotators,
    batches,
    calibrations,
    consensus,
    desk,
    exports,
    feedback,
    figures,
    guidelines,
    holds,
    images,
    judging,
    lead_questions,
    marks,
    quality,
    ranking,
    reviews,
    sign_in,
)

app_name = "annotation"

urlpatterns: list[URLPattern | URLResolver] = []

desk_urls = [
    path("", desk.desk, name="desk"),
    path("my-work/", desk.my_work, name="my-work"),
    path("screen/", desk.screen, name="screen"),
    path("pace/", desk.pace, name="pace"),
    path("content/", marks.content, name="content"),
    path("screen/columns/", desk.columns, name="columns"),
    path("batches/<slug:slug>/next/", desk.next_item, name="next"),
    path("offered/<str:public_id>/<str:sha256>", desk.offered, name="offered"),
]
guideline_urls = [
    path("batches/<slug:slug>/guideline/", guidelines.guideline, name="guideline"),
    path(
        "batches/<slug:slug>/guideline/change/",
        guidelines.guideline_change,
        name="guideline-change",
    ),
    path("examples/<str:public_id>/", guidelines.example, name="example"),
    path(
        "examples/<str:public_id>/images/<str:sha256>/<str:size>",
        guidelines.example_image,
        name="example-image",
    ),
]
question_urls = [
    path("items/<str:public_id>/ask/", lead_questions.ask, name="ask"),
    path("questions/", lead_questions.questions, name="questions"),
    path(
        "questions/<str:public_id>/answer/", lead_questions.question_answer, name="question-answer"
    ),
    path("questions/<str:public_id>/note/", lead_questions.question_note, name="question-note"),
    path("questions/<str:public_id>/seen/", lead_questions.question_seen, name="question-seen"),
]
judging_urls = [
    path("items/<str:public_id>/", judging.assignment, name="assignment"),
    path("items/<str:public_id>/draft/", judging.draft, name="assignment-draft"),
    path("items/<str:public_id>/prepare/", judging.prepare, name="assignment-prepare"),
    path("items/<str:public_id>/opened/", judging.opened, name="assignment-opened"),
    path("items/<str:public_id>/hold/", holds.hold_item, name="assignment-hold"),
    path("items/<str:public_id>/feedback/", feedback.feedback, name="assignment-feedback"),
    path("items/<str:public_id>/skip/", judging.skip_item, name="assignment-skip"),
    path("items/<str:public_id>/flag/", judging.flag_item, name="assignment-flag"),
    path("items/<str:public_id>/undo/", judging.undo, name="assignment-undo"),
    path("items/<str:public_id>/report/", marks.report, name="assignment-report"),
    path("items/<str:public_id>/never/", marks.never, name="assignment-never"),
    path("items/<str:public_id>/images/<str:sha256>/<str:size>", images.image, name="image"),
]
urlpatterns += desk_urls
urlpatterns += guideline_urls
urlpatterns += question_urls
urlpatterns += judging_urls

batch_urls = [
    path("batches/", batches.batches, name="batches"),
    path("batches/<slug:slug>/", batches.batch, name="batch"),
    path("batches/<slug:slug>/state/", batches.batch_state, name="batch-state"),
    path("batches/<slug:slug>/settle/", marks.settle, name="batch-settle"),
    path("batches/<slug:slug>/offer-again/", batches.batch_offer_again, name="batch-offer-again"),
    path("batches/<slug:slug>/people/<str:member>/", quality.person, name="batch-person"),
]
urlpatterns += batch_urls

figure_urls = [
    path("batches/<slug:slug>/agreement/", figures.agreement, name="agreement"),
    path("batches/<slug:slug>/models/", ranking.ranking, name="ranking"),
    path("batches/<slug:slug>/consensus/", consensus.consensus, name="consensus"),
    path("batches/<slug:slug>/annotators/", annotators.annotator_pairs, name="annotator-pairs"),
    path("batches/<slug:slug>/annotators/<str:public_id>/", annotators.annotator, name="annotator"),
    path("batches/<slug:slug>/my-figures/", annotators.own_figures, name="own-figures"),
    path("batches/<slug:slug>/disagreements/", annotators.disagreements, name="disagreements"),
    path("batches/<slug:slug>/items/<str:public_id>/", annotators.batch_item, name="batch-item"),
    path("batches/<slug:slug>/ratings.csv", annotators.ratings_matrix, name="ratings-matrix"),
]
urlpatterns += figure_urls

review_urls = [
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/next/", reviews.reviews_next, name="reviews-next"),
    path("reviews/<str:public_id>/", reviews.review, name="review"),
    path("adjudications/<str:public_id>/", adjudications.adjudication, name="adjudication"),
    path(
        "adjudications/<str:public_id>/open/",
        adjudications.adjudication_open,
        name="adjudication-open",
    ),
    path(
        "adjudications/<str:public_id>/gold/",
        adjudications.adjudication_gold,
        name="adjudication-gold",
    ),
]
urlpatterns += review_urls

calibration_urls = [
    path("batches/<slug:slug>/calibration/", calibrations.calibration, name="calibration"),
    path(
        "batches/<slug:slug>/calibration/state/",
        calibrations.calibration_state,
        name="calibration-state",
    ),
    path(
        "batches/<slug:slug>/calibration/<str:public_id>/",
        calibrations.calibration_item,
        name="calibration-item",
    ),
    path(
        "guideline-examples/<str:public_id>/",
        calibrations.guideline_example,
        name="guideline-example",
    ),
]
urlpatterns += calibration_urls

export_urls = [
    path("exports/", exports.exports, name="exports"),
    path("exports/<str:public_id>/file/", exports.export_file, name="export-file"),
]
urlpatterns += export_urls
urlpatterns += [
    path("sign-in/<str:token>/", sign_in.sign_in_link, name="sign-in-link"),
    path("language/", sign_in.language, name="language"),
]
urlpatterns += [path("api/v1/", include("annotation.api.urls"))]
