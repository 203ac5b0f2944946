"""A small network on points in the plane, trained while one looks on.

As in TensorFlow Playground (Smilkov and Carter, playground.tensorflow.org), on real PyTorch.
"""
