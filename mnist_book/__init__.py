"""What the chapters use besides NumPy: checks for the exercises, figures, help for notebooks."""
