"""Who somebody is, and how that stays unsaid."""
