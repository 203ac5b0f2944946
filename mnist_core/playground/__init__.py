"""A small network on points in the plane, trained live.

Modelled on TensorFlow Playground (Smilkov and Carter, playground.tensorflow.org), on real PyTorch.
"""
