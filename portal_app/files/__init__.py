"""Files that the portal made and keeps for a while: exports and reports."""
