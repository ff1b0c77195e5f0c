"""Accuracy: what chapter 12 adds to training, and the recipes of its records."""
