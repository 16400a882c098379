"""The rooms of a store that speaks SQL, one a concern; which database they speak to is `sqlite` or `postgres`."""
