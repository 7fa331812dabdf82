"""From accepted feedback to pictures that are learnt, and pictures that are held back."""
