"""What the chapters use besides NumPy."""
