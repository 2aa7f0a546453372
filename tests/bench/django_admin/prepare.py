"""Makes Django's own tables and indexes in the database and prints the cookie of an administrator who is signed in."""

import os

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client

SHOWN = ("name", "email", "status", "backup_status", "billing_status", "amount_minor", "size_bytes")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.django_admin.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        # What `db_index=True` would have made.
        for column in SHOWN:
            cursor.execute(f"CREATE INDEX django_{column} ON account ({column})")
        cursor.execute("ANALYZE")
    administrator = get_user_model().objects.create_superuser("bench", "bench@demo.example", "bench")
    client = Client()
    client.force_login(administrator)
    print(client.cookies["sessionid"].value)
