"""Mail: what is sent, stored with the change that causes it and delivered afterwards."""
