"""The search for better parameters: its space, its study and its trials."""
