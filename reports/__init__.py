"""What is required, what is played, and what a run has shown: data in, paper out."""
