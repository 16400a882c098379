"""A real browser that looks at pages: how `assent notice audit` sees what people see."""
