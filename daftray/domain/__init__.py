"""What things are: immutable types and rules, with no input or output of their own."""
