"""What files said of contents before marks were rows becomes rows, made when the dialogue was."""

from django.db import migrations

PAGE = 500


def said(apps):
    """Yield (dialogue, slot or None, keys) of everything that is marked."""
    dialogues = apps.get_model("annotation", "Dialogue").objects.exclude(marks=[])
    for dialogue in dialogues.order_by("pk").iterator(PAGE):
        yield dialogue, None, dialogue.marks
    slots = apps.get_model("annotation", "Slot").objects.exclude(marks=[])
    for slot in slots.select_related("turn__dialogue", "response__dialogue").order_by("pk").iterator(PAGE):
        yield (slot.turn or slot.response).dialogue, slot, slot.marks


def make_rows(apps, schema_editor):
    Mark = apps.get_model("annotation", "Mark")
    Project = apps.get_model("annotation", "Project")
    numbers = {}
    rows = []
    for dialogue, slot, keys in said(apps):
        for key in dict.fromkeys(str(one)[:100] for one in keys if one):
            numbers[dialogue.project_id] = numbers.get(dialogue.project_id, 0) + 1
            rows.append(
                Mark(
                    project_id=dialogue.project_id,
                    number=numbers[dialogue.project_id],
                    dialogue=dialogue,
                    slot=slot,
                    key=key,
                    origin="file",
                    imported_in_id=dialogue.imported_in_id,
                    made_at=dialogue.created_at,
                )
            )
    Mark.objects.bulk_create(rows, batch_size=PAGE)
    for project, number in numbers.items():
        Project.objects.filter(pk=project).update(last_mark_number=number)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_content_marks")]

    operations = [migrations.RunPython(make_rows, migrations.RunPython.noop)]
