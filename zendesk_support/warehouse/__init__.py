"""What a warehouse already holds, and what its dialect asks for."""
