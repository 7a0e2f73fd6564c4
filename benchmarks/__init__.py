"""What archspec costs, against named baselines. Nothing here is asserted in a test."""
