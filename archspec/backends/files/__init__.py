"""Files of a network: what `build -o` writes, and the weights that `--weights` reads."""
