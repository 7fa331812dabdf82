"""The network: what it sees of a mark, the ONNX model, and what its answers mean."""
