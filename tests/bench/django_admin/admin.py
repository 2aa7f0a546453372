"""The list of accounts: columns, filters, search and page size as the portal's dashboard has them."""

from functools import cache
from typing import Any

from django.contrib import admin

from tests.bench.django_admin.models import Account, Partner


@cache
def _partner_id() -> int:
    return Partner.objects.get(code="BENCH001").pk


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """One partner's accounts."""

    list_display = ("name", "email", "status", "backup_status", "billing_status", "amount_minor", "size_bytes")
    list_filter = ("status", "backup_status", "billing_status")
    search_fields = ("name", "email")
    list_per_page = 25

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).filter(partner_id=_partner_id())
