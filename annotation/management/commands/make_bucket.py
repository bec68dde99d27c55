"""Make the bucket that S3_BUCKET names, if the store has none of that name."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Make the bucket that S3_BUCKET names. Safe to run twice."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the bucket, or say that there is nothing to create."""
        name = getattr(default_storage, "bucket_name", "")
        if not name:
            self.stdout.write("Files are kept under MEDIA_ROOT; there is no bucket to make.")
            return
        client = default_storage.connection.meta.client  # type: ignore[attr-defined]
        try:
            known = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
            if name in known:
                self.stdout.write(f"The bucket {name} is there.")
                return
            client.create_bucket(Bucket=name)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"The object store did not make the bucket {name}: {error}"
            ) from None
        self.stdout.write(f"Made the bucket {name}.")
