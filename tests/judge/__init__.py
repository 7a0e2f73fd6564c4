"""The judge: what PyTorch makes of an abstract network, with nothing of `archspec` in it.

An abstract network (`model`) is drawn at random (`draw`, `draw_layers`), written down as a spec
(`render`), and interpreted in plain `torch.nn` (`interpreter`, `layers`).
"""
