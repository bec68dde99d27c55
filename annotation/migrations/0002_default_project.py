"""One project exists after the first migration and is the default everywhere."""

from django.db import migrations


def make_default_project(apps, schema_editor):
    apps.get_model("annotation", "Project").objects.get_or_create(
        slug="default", defaults={"name": "Default project"}
    )


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]

    operations = [
        migrations.RunPython(make_default_project, migrations.RunPython.noop),
    ]
