"""What is made of readings: text, CSV, JSON and spreadsheets."""
