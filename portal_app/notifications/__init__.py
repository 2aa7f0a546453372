"""Who hears of what by mail: recipients, general settings, and the mails themselves."""
