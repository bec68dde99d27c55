"""The one app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy


class AnnotationConfig(AppConfig):
    name = "annotation"
    verbose_name = gettext_lazy("Annotation")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the evidence triggers made again after every migrate."""
        from annotation.models.evidence import make_triggers_after_migrate  # noqa: PLC0415

        post_migrate.connect(
            make_triggers_after_migrate, sender=self, dispatch_uid="annotation-evidence-triggers"
        )
