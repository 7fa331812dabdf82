"""The endpoints: for pictures, for tensors (the Open Inference Protocol) and for operators."""
