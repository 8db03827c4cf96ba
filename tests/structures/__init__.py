"""Any structure by name, from any mask, from end to end."""
