"""The log in a SQL database: schema, engine and stores, on SQLAlchemy Core."""
