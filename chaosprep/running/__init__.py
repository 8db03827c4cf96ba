"""How a stage is run: planned, mapped over its cases, journalled, committed."""
