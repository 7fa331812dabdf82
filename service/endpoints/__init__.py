"""What the service answers: to pictures, tensors (the Open Inference Protocol) and operators."""
