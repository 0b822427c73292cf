"""Defines the features of customers in the folder in which it runs."""

import datetime

import pandas
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float64, Int64, String

NOW = datetime.datetime.now(datetime.timezone.utc)
COLUMNS = {"customer_id": ["seed"], "age": [1], "income": [1.0], "city": ["x"], "active": [True]}
pandas.DataFrame({**COLUMNS, "event_timestamp": [NOW]}).to_parquet("customers.parquet")

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
customers = FeatureView(
    name="customers",
    entities=[customer],
    ttl=datetime.timedelta(days=1),
    schema=[
        Field(name="customer_id", dtype=String),
        Field(name="age", dtype=Int64),
        Field(name="income", dtype=Float64),
        Field(name="city", dtype=String),
        Field(name="active", dtype=Bool),
    ],
    source=FileSource(path="customers.parquet", timestamp_field="event_timestamp"),
)
scoring = FeatureService(name="scoring", features=[customers[["age", "income"]]])
FeatureStore(repo_path=".").apply([customer, customers, scoring])
