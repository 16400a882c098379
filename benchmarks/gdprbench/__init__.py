"""The pieces of `bench_gdprbench.py`: what is kept and asked, and the systems that are asked."""
