"""Demo data: two partners, their people and customers, and a year of backups."""
