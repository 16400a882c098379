"""The privacy centre: what people see of their own data, and what they can do about it. One module a group of pages."""
