"""Dialogues: trees of turns and responses with images at their slots, and what files said."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from annotation.choices import RecordOutcome, SlotState
from annotation.labels import choices
from annotation.models.imports import Import
from annotation.models.projects import Project, new_public_id


class Image(models.Model):
    """A stored picture, once a project by the SHA-256 of the bytes that came.

    `original` is kept byte for byte and is what exports carry; pages get `display` (lossless,
    upright, stripped) and `thumbnail`. `pixel_sha256` is over the decoded upright RGBA pixels.
    Sizes are of the upright picture, in pixels.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="images")
    sha256 = models.CharField(max_length=64)
    pixel_sha256 = models.CharField(max_length=64, db_index=True)
    mime = models.CharField(max_length=32)
    byte_size = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    original = models.FileField(max_length=200)
    display = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "sha256"], name="annotation_image_bytes_in_project"
            ),
            models.CheckConstraint(
                condition=Q(width__gt=0, height__gt=0), name="annotation_image_has_size"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} {self.width}x{self.height}"


class Dialogue(models.Model):
    """A tree grown from one seed prompt. `content_key` is its root turn's.

    `marks` are the keys of the content marks that stand on the whole dialogue, as a slot's are
    on its picture: kept by `actions.marks` beside the rows of `Mark`, for pages that show them.
    `held_back_at` is since when the dialogue is in nobody's queue; what is held may be finished.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="dialogues")
    imported_in = models.ForeignKey(Import, on_delete=models.PROTECT, related_name="dialogues")
    content_key = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200, blank=True)
    task = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=16, blank=True)
    marks = models.JSONField(default=list, blank=True)
    held_back_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "content_key"], name="annotation_dialogue_root_in_project"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.public_id


class Turn(models.Model):
    """A user prompt that follows one response, or nothing at the root. `depth` counts from 1."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    dialogue = models.ForeignKey(Dialogue, on_delete=models.CASCADE, related_name="turns")
    follows = models.ForeignKey(
        "Response", on_delete=models.CASCADE, related_name="next_turns", null=True, blank=True
    )
    content_key = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200, blank=True)
    depth = models.PositiveSmallIntegerField()
    prompt = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dialogue", "content_key"], name="annotation_turn_once_in_dialogue"
            ),
            models.UniqueConstraint(
                fields=["dialogue"],
                condition=Q(follows__isnull=True),
                name="annotation_turn_one_root",
            ),
            models.CheckConstraint(
                condition=Q(depth=1, follows__isnull=True) | Q(depth__gt=1, follows__isnull=False),
                name="annotation_turn_depth_from_root",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dialogue_id}/{self.depth} {self.prompt[:40]}"


class ResponseQuerySet(models.QuerySet["Response"]):
    def full(self) -> Self:
        """Responses that name a full path: leaves, and ends of records."""
        followed = Turn.objects.filter(follows=OuterRef("pk"))
        return self.filter(Q(ends_record=True) | ~Exists(followed))

    def on_path(self, response: "Response") -> Self:
        """The responses from the root to `response`, it included, in order. One query."""
        return self.filter(pk__in=response.lineage_ids()).order_by("depth")


class Response(models.Model):
    """A candidate answer to a turn's prompt; it names the path from the root to itself.

    `lineage` is the primary keys of the path's responses, root first, as "/1/5/9/". `source` is
    what the file says of its making (model, tool, sampling); annotators never see it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    dialogue = models.ForeignKey(Dialogue, on_delete=models.CASCADE, related_name="responses")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="responses")
    content_key = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200, blank=True)
    depth = models.PositiveSmallIntegerField()
    lineage = models.TextField(blank=True)
    ends_record = models.BooleanField(default=False)
    text = models.TextField()
    source = models.JSONField(default=dict, blank=True)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["turn", "content_key"], name="annotation_response_once_in_turn"
            ),
            models.CheckConstraint(
                condition=Q(depth__gt=0), name="annotation_response_depth_from_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dialogue_id}/{self.depth} {self.text[:40]}"

    def lineage_ids(self) -> list[int]:
        """Return the primary keys of the path's responses, root first."""
        return [int(part) for part in self.lineage.split("/") if part]


class Record(models.Model):
    """One conversation as a file gave it, and what became of it. Never judged; paths are.

    `position` counts from 0 within `file`. `pictures` is the names exactly as they came, in the
    order of turns: [[prompt names, response names], ...].
    """

    imported_in = models.ForeignKey(Import, on_delete=models.PROTECT, related_name="records")
    file = models.CharField(max_length=400)
    position = models.PositiveIntegerField()
    external_id = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=16, choices=choices(RecordOutcome))
    dialogue = models.ForeignKey(
        Dialogue, on_delete=models.PROTECT, related_name="records", null=True, blank=True
    )
    last_response = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="records", null=True, blank=True
    )
    digest = models.CharField(max_length=64, blank=True, db_index=True)
    pictures = models.JSONField(default=list)
    problem = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["imported_in", "file", "position"],
                name="annotation_record_once_in_file",
            ),
            models.CheckConstraint(
                condition=(
                    Q(outcome=RecordOutcome.REFUSED, problem__isnull=False)
                    | (~Q(outcome=RecordOutcome.REFUSED) & Q(last_response__isnull=False))
                ),
                name="annotation_record_refused_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file}[{self.position}] {self.outcome}"


class Slot(models.Model):
    """One entry of a prompt's or response's picture list.

    `offset` and `length` delimit its token in the raw text, in code points, or are null: then
    the picture stands after the text. `kind` is the token's word ("Image", "Video", ...).
    """

    turn = models.ForeignKey(
        Turn, on_delete=models.CASCADE, related_name="slots", null=True, blank=True
    )
    response = models.ForeignKey(
        Response, on_delete=models.CASCADE, related_name="slots", null=True, blank=True
    )
    image = models.ForeignKey(
        Image, on_delete=models.PROTECT, related_name="slots", null=True, blank=True
    )
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=400, blank=True)
    state = models.CharField(max_length=16, choices=choices(SlotState))
    problem = models.CharField(max_length=300, blank=True)
    offset = models.PositiveIntegerField(null=True, blank=True)
    length = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    caption = models.TextField(blank=True)
    marks = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["turn", "position"],
                condition=Q(turn__isnull=False),
                name="annotation_slot_once_in_prompt",
            ),
            models.UniqueConstraint(
                fields=["response", "position"],
                condition=Q(response__isnull=False),
                name="annotation_slot_once_in_response",
            ),
            models.CheckConstraint(
                condition=(
                    Q(turn__isnull=False, response__isnull=True)
                    | Q(turn__isnull=True, response__isnull=False)
                ),
                name="annotation_slot_has_one_owner",
            ),
            models.CheckConstraint(
                condition=~Q(state=SlotState.STORED) | Q(image__isnull=False),
                name="annotation_slot_stored_has_image",
            ),
            models.CheckConstraint(
                condition=(
                    Q(offset__isnull=True, length__isnull=True)
                    | Q(offset__isnull=False, length__isnull=False)
                ),
                name="annotation_slot_token_has_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.position} {self.state}"


class Variant(models.Model):
    """A record's own picture for a slot, where its file shows other pixels than the slot's."""

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="variants")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="variants")
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="variants")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slot", "image"], name="annotation_variant_once_in_slot"
            ),
        ]

    def __str__(self) -> str:
        return f"variant of {self.slot_id}"
