"""Sessions: who is signed in, how they came in, and when that ends (docs/how-to/sign-in.md)."""
