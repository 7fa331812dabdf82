"""Output of readings as text, CSV, JSON and spreadsheets."""
