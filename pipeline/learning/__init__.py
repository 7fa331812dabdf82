"""Select accepted feedback for training and validation."""
