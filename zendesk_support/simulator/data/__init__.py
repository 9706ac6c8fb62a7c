"""What an account's rows are made from and kept in."""
