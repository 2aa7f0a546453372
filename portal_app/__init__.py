"""The Partner Portal: resellers run their customers' cloud backups here."""
