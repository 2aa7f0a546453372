"""What a task holds, one by one: mailboxes, sites, drives, folders."""
