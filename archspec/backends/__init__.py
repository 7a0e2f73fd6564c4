"""What can be made of a network: a module, its source, tables."""
