"""The table as the portal has made it, with its indexes; `prepare` adds one for each column of the list."""

from django.db import models

STATUS = {
    "trial_started": "Trial Started",
    "trial_expiring": "Trial Expiring",
    "trial_expired": "Trial Expired",
    "monthly": "Monthly Subscribed",
    "annual": "Annual Subscribed",
}
BACKUP = {"none": "No backups", "successful": "Successful", "partial": "Partial", "failed": "Failed"}
BILLING = {"none": "None", "current": "Current", "due": "Due", "overdue": "Overdue"}


class Partner(models.Model):
    """Whose accounts they are."""

    code = models.CharField(max_length=20)

    class Meta:
        managed = False
        db_table = "partner"


class Account(models.Model):
    """What the dashboard lists."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    name_key = models.CharField(max_length=400)
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=800)
    status = models.CharField(max_length=20, choices=STATUS)
    backup_status = models.CharField(max_length=20, choices=BACKUP)
    billing_status = models.CharField(max_length=20, choices=BILLING)
    amount_minor = models.BigIntegerField()
    size_bytes = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "account"
        # As the portal's own lists: the index ends with the id.
        ordering = ("name_key", "id")

    def __str__(self) -> str:
        return self.name
