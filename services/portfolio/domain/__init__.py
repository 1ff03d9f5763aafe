"""What a fill does to an account's books, and what they are worth: plain Python."""
