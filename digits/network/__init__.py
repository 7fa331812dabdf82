"""The network: its input for a mark, the ONNX model, and the meaning of its outputs."""
