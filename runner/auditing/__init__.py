"""The duty to judge answers of others: to sit on a panel that the lottery admits this runner to, and to vote what it found."""
