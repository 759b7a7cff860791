"""What an old checkpoint holds, how it differs from another, other formats."""
