"""From any image to its ink: paper 0, full ink 255."""
