"""Ways in and out of the pages (docs/how-to/sign-in.md).

person     a person comes from the product, with a token that it signed
link       anybody comes with a one-time link
provider   staff come from their identity provider
sessions   whoever is in sees where they are signed in, and ends it
"""
