"""What a built module can do: each property of PyTorch's tools, for each of a few small networks."""
