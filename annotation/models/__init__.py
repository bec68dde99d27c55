"""The tables. Later ones point to earlier ones; see ARCHITECTURE.md."""

from annotation.models.assignments import Assignment, Draft, Hold, Seat
from annotation.models.batches import Batch, Item, Participation
from annotation.models.categories import Category, OptOut
from annotation.models.content import Dialogue, Image, Record, Response, Slot, Turn, Variant
from annotation.models.exports import Export
from annotation.models.figures import Figure
from annotation.models.guidelines import Guideline, GuidelineReading, GuidelineVersion
from annotation.models.imports import Import
from annotation.models.jobs import Job
from annotation.models.judgments import Judgment, Preference, Rating, Remark
from annotation.models.lead_questions import LeadQuestion
from annotation.models.marks import ContentReport, Mark, MarkRun
from annotation.models.model_judges import Run
from annotation.models.projects import Member, Project, Token
from annotation.models.quality import GoldAnswer
from annotation.models.reviews import Review, Sight, Void
from annotation.models.rubric import Dimension, Rubric, ScalePoint
from annotation.models.users import User

__all__ = [
    "Assignment",
    "Batch",
    "Category",
    "ContentReport",
    "Dialogue",
    "Dimension",
    "Draft",
    "Export",
    "Figure",
    "GoldAnswer",
    "Guideline",
    "GuidelineReading",
    "GuidelineVersion",
    "Hold",
    "Image",
    "Import",
    "Item",
    "Job",
    "Judgment",
    "LeadQuestion",
    "Mark",
    "MarkRun",
    "Member",
    "OptOut",
    "Participation",
    "Preference",
    "Project",
    "Rating",
    "Record",
    "Remark",
    "Response",
    "Review",
    "Rubric",
    "Run",
    "ScalePoint",
    "Seat",
    "Sight",
    "Slot",
    "Token",
    "Turn",
    "User",
    "Variant",
    "Void",
]
